import { join } from 'node:path';
import { reachableHost, type Service, type Stack } from '../../compose/stack.ts';

/** Turns a container's names and paths, in one text, into this machine's. */
export type Localise = (text: string) => string;

/**
 * The three rules of docs/architecture.md for `service`:
 *
 * 1. `<service>:<container port>` becomes the published address; `0.0.0.0`, `127.0.0.1` or `localhost` with one of the
 *    service's own container ports becomes its own published address (inside a container, loopback is itself).
 * 2. a path at or under a volume's target becomes the volume's folder.
 * 3. a secret's path becomes the secret's file, and a config's path the config's, if the service is given it.
 *
 * One pass over the text: what was put in is not looked at again.
 *
 * @param volumeFolder where a named volume lives
 */
export function localiser(
  stack: Stack,
  service: Service,
  volumeFolder: (volume: string) => string,
): Localise {
  const addresses = addressTable(stack, service);
  const paths = pathTable(stack, service, volumeFolder);
  const pattern = new RegExp(
    [
      `(?<![\\w.-])(?<address>${alternatives(addresses.keys())})(?![\\w.-])`,
      `(?<=^|file://|[^\\w./-])(?<path>${alternatives(paths.keys())})(?=$|/|[^\\w./-])`,
    ].join('|'),
    'g',
  );
  return (text) =>
    text.replace(pattern, (whole: string) => addresses.get(whole) ?? paths.get(whole) ?? whole);
}

function addressTable(stack: Stack, own: Service): Map<string, string> {
  const table = new Map<string, string>();
  for (const { name, ports } of stack.services.values()) {
    for (const { host, published, target } of ports) {
      table.set(`${name}:${target}`, `${reachableHost(host)}:${published}`);
    }
  }
  for (const { host, published, target } of own.ports) {
    // Where it listens: the address it is published on, which may be every interface.
    table.set(`0.0.0.0:${target}`, `${host.includes(':') ? `[${host}]` : host}:${published}`);
    table.set(`127.0.0.1:${target}`, `${reachableHost(host)}:${published}`);
    table.set(`localhost:${target}`, `${reachableHost(host)}:${published}`);
  }
  return table;
}

function pathTable(
  stack: Stack,
  { mounts, secrets, configs }: Service,
  volumeFolder: (volume: string) => string,
) {
  const table = new Map<string, string>();
  for (const { kind, source, target } of mounts) {
    if (target !== '/') table.set(target, kind === 'bind' ? source : volumeFolder(source));
  }
  for (const { name, target } of secrets) {
    const file = stack.secrets.get(name);
    if (file !== undefined) table.set(join(target), file);
  }
  for (const { name, target } of configs) {
    const file = stack.configs.get(name);
    if (file !== undefined) table.set(target, file);
  }
  return table;
}

/** Longest first, so that `/run/credentials/app` is tried before `/run/credentials`. */
function alternatives(words: Iterable<string>): string {
  const sorted = [...words].sort((a, b) => b.length - a.length);
  return sorted.length === 0
    ? '(?!)'
    : sorted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
}
