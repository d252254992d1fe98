import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '@lockstep/foundation';
import { UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { scope } from './manifests.ts';
import { type NewService, portSettingOf } from './name.ts';
import type { Sibling } from './sibling.ts';

/**
 * True when the folder is there and the service's; false when there is none, or an empty one.
 *
 * @throws {UsageError} when it is anything else
 */
export function checkFolder(root: string, name: string): boolean {
  const folder = join(root, name);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const own = existsSync(join(folder, 'src/server.ts')) && packageName(folder) === `${scope}/${name}`;
  if (own) return true;
  const entries = found.isDirectory() ? readdirSync(folder).length : undefined;
  if (entries === 0) return false;
  throw new UsageError(`${name} is there already and is not a service of this stack`, {
    evidence: [
      `found: ${entries === undefined ? 'a file' : `a folder with ${count(entries, 'entry', 'entries')}`}`,
      `expected of a service: a package.json named ${scope}/${name}, and src/server.ts`,
    ],
    hint: 'choose another name, or move it away',
  });
}

function packageName(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that nothing else has the service's names; one that is half there may have its own.
 *
 * @throws {UsageError} listing each name that is taken
 */
export function checkFree(
  { stack: { services, inactive } }: OpenedStack,
  { name, database }: NewService,
  { sibling, folderIsThere }: { sibling: Sibling; folderIsThere: boolean },
): void {
  const evidence: string[] = [];
  if (!folderIsThere) {
    const taken = [name, `${name}-migrations`].filter((one) => services.has(one) || inactive.has(one));
    evidence.push(...taken.map((one) => `compose.yaml has a service ${one}, and there is no folder ${name}`));
  }
  for (const [other, theirs] of sibling.databases) {
    if (other !== name && theirs === database) evidence.push(`${other} has the database ${database}`);
  }
  const setting = portSettingOf(name);
  for (const { name: other, ports } of services.values()) {
    if (other !== name && ports.some((port) => port.setting === setting)) {
      evidence.push(`${other} has the setting ${setting}`);
    }
  }
  if (evidence.length > 0) throw new UsageError(`${name} cannot be added`, { evidence });
}
