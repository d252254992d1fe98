import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import type { Addition } from './addition.ts';

/**
 * Writes an addition, file by file: each is written beside its place and renamed, so that whoever looks, and whatever ends
 * this, finds whole files only. The folder of the service comes first and at once; what makes it part of the stack last.
 *
 * @param written is told each path, after it is there
 * @throws {PreflightError} when one cannot be written; those before it stay, and a second run goes on from there
 */
export async function writeAddition(
  root: string,
  name: string,
  { folder, changes }: Addition,
  { signal, written }: { signal: AbortSignal; written: (path: string) => void },
): Promise<void> {
  const attempt = async (path: string, work: () => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      throw new PreflightError(`cannot write ${path}: ${systemReason(error)}`, { cause: error });
    }
    written(path);
  };
  const path = join(root, name);
  // A killed run's.
  const beside = join(root, `.${name}.new`);
  await rm(beside, { recursive: true, force: true });
  if (folder.length > 0) {
    await attempt(`${name}/`, async () => {
      for (const file of folder) await createFile(join(beside, file.path), file.text);
      await rename(beside, path);
    });
  }
  for (const { path: file, after } of changes) {
    await attempt(file, () => replaceFile(join(root, file), after));
  }
}

/**
 * Replaces `path`, or creates it; where it is a link, what that leads to. Its mode stays. Hold the lock of this work: the
 * name beside is always the same, so that what a killed run left there is written over and renamed by the next.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const beside = join(dirname(target), `.${basename(target)}.new`);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => undefined,
  );
  try {
    await createFile(beside, text, mode);
    await rename(beside, target);
  } finally {
    await rm(beside, { force: true });
  }
}

async function createFile(path: string, text: string, mode?: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w', mode);
  try {
    // The mode given to open is cut by the umask.
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
