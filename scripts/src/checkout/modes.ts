import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** `chmod -R a+rX`: lets every user read what is below `path`, and run what its owner can run. Links stay as they are. */
export function openToAll(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  const isRun = found.isDirectory() || (found.mode & 0o100) !== 0;
  chmodSync(path, (found.mode & 0o7777) | (isRun ? 0o555 : 0o444));
  if (found.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}

/** Of more files than these the rest is not looked at. */
const mostLooked = 5000;

/** The files and folders at and below `path` that the user `uid` cannot read,. */
export function closedBelow(path: string, uid: number): string[] {
  const closed: string[] = [];
  const left = [path];
  for (let looked = 0; looked < mostLooked; looked++) {
    const next = left.shift();
    if (next === undefined) break;
    const found = lstatSync(next, { throwIfNoEntry: false });
    // A link is as open as what it leads to; a socket is nobody's to read.
    if (found === undefined || !(found.isDirectory() || found.isFile())) continue;
    const wanted = found.isDirectory() ? 0o5 : 0o4;
    const bits = found.mode >> (found.uid === uid ? 6 : 0);
    if ((bits & wanted) !== wanted) closed.push(next);
    else if (found.isDirectory()) left.push(...readdirSync(next).map((name) => join(next, name)));
  }
  return closed;
}
