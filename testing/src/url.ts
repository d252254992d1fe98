import { type ConnectionParameters, formatConnectionString, parseConnectionString } from '@lockstep/postgres';
import { NoTestServerError } from './errors.ts';

/**
 * Reads a connection string as the migrator and the apps do.
 *
 * @throws {NoTestServerError} when it is none
 */
export function readUrl(text: string, place: string): ConnectionParameters {
  const parameters = parseConnectionString(text);
  if (!('rule' in parameters)) return parameters;
  throw new NoTestServerError(`${place} has no connection string: it ${parameters.rule}`, [], 'make up');
}

/** The same as another role, in another database, or elsewhere; as a URL. */
export function changeUrl(text: string, changes: Partial<ConnectionParameters>): string {
  return formatConnectionString({ ...readUrl(text, 'the server for tests'), ...changes });
}
