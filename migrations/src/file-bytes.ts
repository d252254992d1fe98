import { closeSync, constants, type Dirent, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Larger files are refused unread: so many rows belong into COPY from a file, or into seed data. */
const largestFile = 64 * 1024 * 1024;

/**
 * Reads the file `entry` of the folder `root`, a real path. A symbolic link may lead to another file inside it.
 *
 * Synchronous: for thousands of small files that takes a quarter of the time that promises take.
 *
 * @returns the rule that is broken when it is no regular file, is over 64 MiB, leaves the folder, or cannot be read
 */
export function readBytes(root: string, entry: Dirent): Buffer | string {
  try {
    const path = join(root, entry.name);
    // Asked of links only: it costs as much as to open the file.
    const real = entry.isSymbolicLink() ? realpathSync(path) : path;
    if (real !== path && !real.startsWith(join(root, sep)))
      return 'is a symbolic link that leaves the folder';
    // Without O_NONBLOCK, to open a named pipe would wait for a writer.
    const file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return 'is not a regular file';
      if (stat.size > largestFile)
        return `has ${Math.ceil(stat.size / 1024 / 1024)} MiB; 64 MiB is the limit`;
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return unreadable(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
}

function unreadable(code: string): string {
  const reasons: Record<string, string> = {
    EACCES: 'cannot be read by this user',
    ELOOP: 'is a symbolic link that leads in a circle',
    // Listed a moment ago, so the name is there and what it points at is not.
    ENOENT: 'is a symbolic link to nothing',
    // A socket.
    ENXIO: 'is not a regular file',
  };
  return reasons[code] ?? `cannot be read (${code})`;
}
