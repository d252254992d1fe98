import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What a folder keeps when it is renamed and a copy of it does not have: its inode and when it was made. Undefined when
 * there is no such folder. The device is left out: many systems number theirs anew at each boot.
 */
export function folderMark(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.ino}-${Math.trunc(found.birthtimeMs)}`;
}

/** Whether two paths lead to one folder: through a symbolic link, or by a bind mount. */
export function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    if (realpathSync(one) === realpathSync(other)) return true;
    const [first, second] = [statSync(one), statSync(other)];
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    return false;
  }
}

/**
 * Whether `folder` is the checkout `root` or a part of it, as where a compose file lies in a folder of its own. One with a state
 * folder is a checkout by itself, wherever it lies.
 */
export function isPartOf(folder: string, root: string): boolean {
  for (let part = folder; ; part = dirname(part)) {
    if (isSameFolder(part, root)) return true;
    if (dirname(part) === part || existsSync(join(part, '.lockstep'))) return false;
  }
}
