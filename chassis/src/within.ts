import { DatabaseUnreachableError } from './errors.ts';

/**
 * Waits for the database's answer for `milliseconds`. Later answers, and errors, are ignored.
 *
 * @throws {DatabaseUnreachableError} when the time is over
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseUnreachableError('no answer', { waitedMilliseconds: milliseconds })),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
