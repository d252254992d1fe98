import { lstatSync, readFileSync, statSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { addToLock, scope, serviceManifest } from './manifests.ts';
import { replaceFile } from './write-addition.ts';

const record = 'node_modules/.package-lock.json';

/**
 * Whether what npm installed is what the lock file says, as the Makefile sees it. A `node_modules` that is a link is
 * somebody else's and is left alone.
 */
export function isInstalled(root: string): boolean {
  const folder = lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false });
  const [lock, installed] = ['package-lock.json', record].map((file) =>
    statSync(join(root, file), { throwIfNoEntry: false }),
  );
  if (folder?.isDirectory() !== true || lock === undefined || installed === undefined) return false;
  return installed.mtimeMs >= lock.mtimeMs;
}

/**
 * Installs the workspace of a new service, as `npm ci` would: a link in node_modules and two entries in npm's own record.
 * There is nothing else to install, and a machine without a network can go on.
 */
export async function installWorkspace(root: string, name: string, chassisVersion: string): Promise<void> {
  try {
    await symlink(`../../${name}`, join(root, 'node_modules', scope, name), 'dir');
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const path = join(root, record);
  const manifest = serviceManifest(name, chassisVersion);
  await replaceFile(path, addToLock(readFileSync(path, 'utf8'), { manifest, file: record }));
}
