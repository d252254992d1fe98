import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { ConfigMount, Mount, SecretMount } from './stack.ts';
import type { Mapping, Tree } from './tree.ts';
import type { ValueReader } from './values.ts';

/** What a service mounts; a relative folder counts from `folder`. Mounts in memory are left out. */
export function readMounts(map: Mapping, read: ValueReader, folder: string): Mount[] {
  // A later mount of the same target replaces an earlier one, as in compose.
  const mounts = new Map<string, Mount>();
  for (const item of read.list(map, 'volumes')?.items ?? []) {
    const mount = item.kind === 'map' ? longMount(item, read) : shortMount(item, read);
    if (mount === undefined) continue;
    const { source, target, kind } = mount;
    const trimmed = target.length > 1 ? target.replace(/\/+$/, '') : target;
    const path = kind === 'bind' ? pathFrom(folder, source) : source;
    mounts.set(trimmed, { kind, source: path, target: trimmed, place: item.place });
  }
  return [...mounts.values()];
}

/**
 * Splits `source:/target:options`; undefined when it has empty or too many parts. A name of one letter is a Windows
 * drive for Compose, and so no name.
 */
export function splitMount(text: string): { source: string; target: string; options: string } | undefined {
  const parts = text.split(':');
  if (/^[A-Za-z]$/.test(parts[0] ?? '')) parts.splice(0, 2, parts.slice(0, 2).join(':'));
  if (parts.length > 3 || parts.includes('')) return undefined;
  const [first = '', target, options = ''] = parts;
  return target === undefined ? { source: '', target: first, options } : { source: first, target, options };
}

function shortMount(item: Tree, read: ValueReader): Omit<Mount, 'place'> | undefined {
  const text = item.kind === 'scalar' && item.type === 'string' ? item.text : '';
  const { source = '', target = '' } = splitMount(text) ?? {};
  if (source !== '' && target.startsWith('/'))
    return { kind: isPath(source) ? 'bind' : 'volume', source, target };
  const why = /^[A-Za-z]:/.test(text) ? '; one letter before the colon is a Windows drive' : '';
  read.mistakes.add(item.place, `volumes: expected source:/target or source:/target:ro, got "${text}"${why}`);
  return undefined;
}

/** A path in a compose file, absolute: a relative one counts from `folder`, and `~` is the home folder. */
export function pathFrom(folder: string, path: string): string {
  return path.startsWith('~') ? join(homedir(), path.slice(1)) : resolve(folder, path);
}

/** Whether the source of a short mount is a path, and not the name of a volume. */
export function isPath(source: string): boolean {
  return /^[./~]/.test(source);
}

function longMount(item: Mapping, read: ValueReader): Omit<Mount, 'place'> | undefined {
  read.unknownKeys(
    item,
    ['type', 'source', 'target', 'read_only', 'bind', 'volume', 'tmpfs', 'consistency'],
    'volumes',
  );
  const kind = read.text(item, 'type');
  const source = read.text(item, 'source');
  const target = read.text(item, 'target');
  if (kind === 'tmpfs') return undefined;
  if ((kind !== 'volume' && kind !== 'bind') || source === undefined || !target?.startsWith('/')) {
    read.mistakes.add(item.place, 'volumes: expected type volume or bind, a source and an absolute target');
    return undefined;
  }
  return { kind, source, target };
}

/** The secrets a service is given, and where it finds them. */
export function readSecrets(map: Mapping, read: ValueReader): SecretMount[] {
  return (read.list(map, 'secrets')?.items ?? []).flatMap((item) => {
    if (item.kind === 'scalar') return [{ name: item.text, target: `/run/secrets/${item.text}` }];
    const name = item.kind === 'map' ? read.text(item, 'source') : undefined;
    if (item.kind !== 'map' || name === undefined) {
      read.mistakes.add(item.place, 'secrets: expected a name, or a map with a source');
      return [];
    }
    const target = read.text(item, 'target') ?? name;
    return [{ name, target: isAbsolute(target) ? target : join('/run/secrets', target) }];
  });
}

/** The configs a service is given, and where it finds them. */
export function readConfigs(map: Mapping, read: ValueReader): ConfigMount[] {
  return (read.list(map, 'configs')?.items ?? []).flatMap((item) => {
    const { place } = item;
    if (item.kind === 'scalar') return [{ name: item.text, target: `/${item.text}`, place }];
    const name = item.kind === 'map' ? read.text(item, 'source') : undefined;
    if (item.kind !== 'map' || name === undefined) {
      read.mistakes.add(place, 'configs: expected a name, or a map with a source');
      return [];
    }
    read.unknownKeys(item, ['source', 'target', 'uid', 'gid', 'mode'], 'configs');
    return [{ name, target: resolve('/', read.text(item, 'target') ?? name), place }];
  });
}
