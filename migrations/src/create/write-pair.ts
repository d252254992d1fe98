import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRefusedError } from './errors.ts';
import { nextLabel, type Taken, takenVersions } from './versions.ts';

/** A pair that is to be written; its version is found when it is. */
export interface NewPair {
  readonly description: string;
  readonly up: string;
  readonly down: string;
}

/** A pair that was written. */
export interface WrittenPair {
  readonly label: string;
  readonly up: string;
  readonly down: string;
}

/** A claim whose owner died is passed over after this time. */
const staleMilliseconds = 10_000;

/**
 * Writes a pair under the next free version, whole or not at all. Whoever writes claims the folder first, so that two who create
 * at once get two versions.
 *
 * @param folder exists
 */
export async function writePair(folder: string, pair: NewPair, asTimestamp: boolean): Promise<WrittenPair> {
  return claimed(folder, async () => {
    const taken: Taken = await takenVersions(folder);
    const label = nextLabel(taken, asTimestamp, new Date());
    const path = (direction: string) => join(folder, `${label}_${pair.description}.${direction}.sql`);
    const written = { label, up: path('up'), down: path('down') };
    await writeNew(written.up, pair.up);
    try {
      await writeNew(written.down, pair.down);
    } catch (error) {
      await rm(written.up, { force: true });
      throw error;
    }
    return written;
  });
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o644);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new CreateRefusedError(`${path} cannot be written`, [reasonOf(error)], 3, error);
  }
}

async function claimed<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const claim = join(folder, '.migrate-create.claim');
  for (;;) {
    try {
      await (await open(claim, 'wx', 0o644)).close();
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw new CreateRefusedError(`${folder} cannot be written to`, [reasonOf(error)], 3, error);
      }
      const age = await stat(claim).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > staleMilliseconds) await rm(claim, { force: true });
      else await sleep(20);
    }
  }
  try {
    return await work();
  } finally {
    await rm(claim, { force: true });
  }
}

/** Makes the folder; Node's own recursive way never ends below /proc. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true) await mkdir(folder);
  } catch (error) {
    throw new CreateRefusedError(`the folder ${folder} cannot be made`, [reasonOf(error)], 3, error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
