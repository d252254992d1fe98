import { splitPort } from './ports.ts';
import { splitMount } from './read-mounts.ts';
import type { Tree } from './tree.ts';

/** What two entries of a list of a service have in common when the later one replaces the earlier. */
type Identity = (item: Tree) => string | undefined;

const identities: Readonly<Record<string, Identity>> = {
  cap_add: whole,
  cap_drop: whole,
  configs: fileIdentity('/'),
  devices: whole,
  dns: whole,
  dns_opt: whole,
  dns_search: whole,
  env_file: (item) => whole(item) ?? textOf(item, 'path'),
  expose: whole,
  links: whole,
  ports: portIdentity,
  profiles: whole,
  secrets: fileIdentity('/run/secrets/'),
  tmpfs: whole,
  volumes: mountIdentity,
};

/**
 * The entries of a list without those that a later one replaces, each replaced in its place (compose-go,
 * `EnforceUnicity`).
 *
 * @param key the list's key in its service
 */
export function distinctItems(key: string, items: readonly Tree[]): readonly Tree[] {
  const identity = identities[key];
  if (identity === undefined) return items;
  const kept = new Map<string | Tree, Tree>();
  for (const item of items) kept.set(identity(item) ?? item, item);
  return [...kept.values()];
}

/** The keys of a service whose lists have distinct entries. */
export const distinctLists: readonly string[] = Object.keys(identities);

function whole(item: Tree): string | undefined {
  return item.kind === 'scalar' ? item.text : undefined;
}

function textOf(item: Tree, key: string): string | undefined {
  const value = item.kind === 'map' ? item.entries.get(key) : undefined;
  return value?.kind === 'scalar' && value.type !== 'null' ? value.text : undefined;
}

function mountIdentity(item: Tree): string | undefined {
  const target = item.kind === 'map' ? textOf(item, 'target') : splitMount(whole(item) ?? '')?.target;
  return target === undefined || target === '/' ? target : target.replace(/\/+$/, '');
}

function fileIdentity(folder: string): Identity {
  return (item) => textOf(item, 'target') ?? `${folder}${textOf(item, 'source') ?? whole(item) ?? ''}`;
}

function portIdentity(item: Tree): string | undefined {
  const short = item.kind === 'scalar' ? splitPort(item.text) : undefined;
  const target = short?.target ?? textOf(item, 'target');
  if (target === undefined) return undefined;
  const host = short?.host ?? textOf(item, 'host_ip') ?? '';
  const published = short?.published ?? textOf(item, 'published') ?? '';
  const protocol = (short?.protocol || textOf(item, 'protocol') || 'tcp').toLowerCase();
  return `${host || '0.0.0.0'}:${published}:${target}/${protocol}`;
}
