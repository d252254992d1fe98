import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PreflightError, systemCode, systemReason } from '../../errors.ts';

/**
 * Makes folders of this user's, one in the other, below `base`, a place where others can write too (/tmp, /var/tmp).
 * Returns the innermost one's path. `base` is never touched, nor is a folder that was there before: one that is not this
 * user's, or that others may write to, is refused, because it could be a trap.
 *
 * @param mode of each folder that is made
 */
export function makeOwnFolder(base: string, names: readonly string[], mode: number): string {
  let path = base;
  for (const name of names) {
    path = join(path, name);
    try {
      mkdirSync(path, { mode });
      // Past the umask. Only ever on a folder that was made a moment ago, right here.
      chmodSync(path, mode);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST')
        throw new PreflightError(`cannot make ${path}: ${systemReason(error)}`);
    }
    const found = lstatSync(path);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
      throw new PreflightError(`${path} is not a folder that only this user may write to`, {
        hint: 'look who made it; the stack does not write there',
      });
    }
  }
  return path;
}
