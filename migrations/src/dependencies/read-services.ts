import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { isFileName, parseFileName } from '../file-name.ts';
import { showPath } from '../folder.ts';
import { titleOf } from '../migration.ts';
import { readDependencyFile } from './dependency-file.ts';
import type { ServiceFolder } from './graph.ts';

/**
 * Finds the services below `root`: every `<service>/migrations` with a migration in it. Reads names of files only, and their
 * dependencies.json.
 *
 * @throws {UsageError} when the folder cannot be listed, or holds no service
 * @throws {ConfigFileError} when a dependencies.json is wrong
 */
export async function readServices(root: string): Promise<ServiceFolder[]> {
  const names = await readdir(root).catch((error: unknown) => {
    throw new UsageError(
      `${showPath(root)} cannot be listed: ${error instanceof Error ? error.message : String(error)}`,
      'migrate deps --help',
    );
  });
  const services: ServiceFolder[] = [];
  for (const service of names.sort()) {
    const folder = join(root, service, 'migrations');
    if (service.startsWith('.') || service === 'node_modules' || !existsSync(folder)) continue;
    const found = (await readdir(folder).catch(() => [])).flatMap((name) => {
      const parsed = parseFileName(name);
      return isFileName(parsed) && parsed.direction === 'up' && /\.sql$/i.test(name) ? [parsed] : [];
    });
    if (found.length === 0) continue;
    const titles = new Map(found.map((parsed) => [parsed.version, titleOf(parsed)]));
    const versions = [...titles.keys()].sort((a, b) => (a < b ? -1 : 1));
    services.push({ service, versions, titles, file: readDependencyFile(folder) });
  }
  if (services.length > 0) return services;
  throw new UsageError(`${showPath(root)} holds no <service>/migrations`, 'migrate deps --root FOLDER');
}
