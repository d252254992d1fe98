import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { count } from '@lockstep/foundation';
import { showPath } from '../folder.ts';
import { BackupFailedError, BackupUnusableError } from './errors.ts';
import { isWhole, type Manifest, parseManifest } from './manifest.ts';

/** A finished backup in its folder. */
export interface Backup {
  readonly manifest: Manifest;
  /** The dump. */
  readonly path: string;
}

/** A partial file older than this is nobody's. */
const staleMilliseconds = 24 * 60 * 60 * 1000;

/** `services__20250102T030405_full_9f2c01`: names sort by time, and hold only what every file system takes. */
export function nameOf(database: string, kind: Manifest['kind'], now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+Z$/g, '');
  const base = database.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80);
  return `${base}__${time}_${kind}_${randomBytes(3).toString('hex')}`;
}

/** Makes the folder, for this user alone, and clears it of what killed runs left. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(resolve(folder));
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.partial')) continue;
      const { mtimeMs } = await stat(join(folder, name));
      if (Date.now() - mtimeMs > staleMilliseconds) await rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

/** Node's own way to make the folders above as well never ends where a file system has it that nothing can be made: /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    if (code !== 'ENOENT' || (await stat(dirname(folder)).catch(() => undefined)) !== undefined) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
}

/** Bytes that this user may still write into the folder, or into the nearest one above it that exists. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  for (let place = resolve(folder); ; place = dirname(place)) {
    try {
      const { bavail, bsize } = await statfs(place);
      return bavail * bsize;
    } catch {
      if (place === dirname(place)) return undefined;
    }
  }
}

/** Every finished backup of `database` in the folder, newest first; of every database when undefined. */
export async function listBackups(folder: string, database?: string): Promise<Backup[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new BackupUnusableError(`the folder of backups ${showPath(folder)} cannot be read`, [
      error instanceof Error ? error.message : String(error),
    ]);
  }
  const backups: Backup[] = [];
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const manifest = parseManifest(await readFile(join(folder, name), 'utf8').catch(() => ''));
    if (manifest === undefined) continue;
    if (database !== undefined && manifest.database !== database) continue;
    backups.push({ manifest, path: join(folder, manifest.dump) });
  }
  return backups.sort((a, b) => (a.manifest.createdAt < b.manifest.createdAt ? 1 : -1));
}

/**
 * Finds a backup by `latest`, by its name in the folder, or by the path of its dump.
 *
 * @param database whose latest one
 * @param whole whether the latest one must hold every row
 * @throws {BackupUnusableError} when there is none
 */
export async function findBackup(
  folder: string,
  wanted: string,
  database: string,
  whole: boolean,
): Promise<Backup> {
  if (wanted === 'latest') {
    const all = await listBackups(folder, database);
    const latest = all.find(({ manifest }) => !whole || isWhole(manifest));
    if (latest !== undefined) return latest;
    const rest =
      all.length === 0
        ? []
        : [`${count(all.length, 'backup')} cannot take its place: rows or tables are left out`];
    throw new BackupUnusableError(
      `there is no ${whole ? 'full ' : ''}backup of ${database} in ${showPath(folder)}`,
      rest,
    );
  }
  const stem = wanted.replace(/\.(?:dump|json)$/, '');
  const path = stem.includes('/') ? stem : join(folder, stem);
  const text = await readFile(`${path}.json`, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const dump = await stat(`${path}.dump`).catch(() => undefined);
    const fact = `there is no backup ${showPath(path)}`;
    const reason = 'its dump is there, and the manifest (.json) beside it is not';
    throw new BackupUnusableError(fact, dump === undefined ? [] : [reason]);
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    throw new BackupUnusableError(`${showPath(`${path}.json`)} is no manifest of a backup`, [
      'it was changed, or another program wrote it',
    ]);
  }
  return { manifest, path: join(dirname(path), manifest.dump) };
}

/**
 * Reads the whole dump and compares it with its manifest.
 *
 * @throws {BackupUnusableError} when it is gone, cut short, or changed
 */
export async function requireWhole({ manifest, path }: Backup): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackupUnusableError(`the dump ${showPath(path)} cannot be read`, [reason]);
  }
  const fact = `the dump ${showPath(path)} is not what was written`;
  if (bytes !== manifest.bytes) {
    const have = `it has ${count(bytes, 'byte')}, its manifest says ${manifest.bytes}`;
    throw new BackupUnusableError(fact, [have]);
  }
  if (hash.digest('hex') !== manifest.sha256) {
    throw new BackupUnusableError(fact, ['its checksum is not the one in its manifest']);
  }
}

/** Writes the manifest, whole or not at all. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const path = join(folder, manifest.dump.replace(/\.dump$/, '.json'));
  const partial = `${path}.partial`;
  try {
    const file = await open(partial, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw writeFailure(folder, error);
  }
}

/** Deletes the oldest backups of `database` beyond `keep`; returns the names of their dumps. */
export async function dropOldest(folder: string, database: string, keep: number): Promise<string[]> {
  const old = (await listBackups(folder, database)).slice(keep);
  for (const { path } of old) {
    // The manifest first: a dump without one counts as unfinished, a manifest without a dump would not.
    await rm(path.replace(/\.dump$/, '.json'), { force: true });
    await rm(path, { force: true });
  }
  return old.map(({ path }) => basename(path));
}

/** Puts a failure to write in words. */
export function writeFailure(folder: string, error: unknown): BackupFailedError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'there is no space left',
    EDQUOT: 'the quota is used up',
    EROFS: 'the file system is read-only',
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    ENOTDIR: 'a part of the path is no folder',
    EEXIST: 'it is no folder',
  };
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new BackupFailedError(`no backup can be written to ${showPath(folder)}`, [reason], error);
}
