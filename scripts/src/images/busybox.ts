import { join } from 'node:path';
import { environment } from '../environment.ts';
import { onPath } from '../on-path.ts';
import { fetchPackage } from './debian-package.ts';
import type { FileTree } from './file-tree.ts';
import { isStatic } from './libraries.ts';

/**
 * Finds a busybox without libraries: this machine's own, else that of Debian's package busybox-static.
 *
 * @param packages the folder for fetched packages
 * @throws {PreflightError} when there is none
 */
export async function findBusybox(packages: string): Promise<string> {
  const own = [
    onPath('busybox', environment['PATH']),
    '/bin/busybox',
    '/bin/busybox.static',
    '/usr/bin/busybox-static',
  ];
  const found = own.find((file) => file !== undefined && isStatic(file));
  if (found !== undefined) return found;
  const root = await fetchPackage('busybox-static', packages, 'there is no static busybox for the stand-ins');
  const fetched = ['usr/bin/busybox', 'bin/busybox'].map((path) => join(root, path)).find(isStatic);
  return fetched ?? join(root, 'usr/bin/busybox');
}

/** Adds busybox under the names that are used, and nothing of it beside those. */
export function addBusybox(tree: FileTree, busybox: string, names: readonly string[]): void {
  tree.copy('/bin/busybox', busybox, 0o755);
  for (const name of names) tree.link(`/bin/${name}`, 'busybox');
}
