import { startOrder } from '../compose/graph.ts';
import { pathFrom } from '../compose/read-mounts.ts';
import type { Service, Stack } from '../compose/stack.ts';
import type { Mapping } from '../compose/tree.ts';
import { EngineError } from '../errors.ts';
import { isBefore } from './engine-defects.ts';
import {
  at,
  type Entry,
  escaped,
  hashOf,
  shellWord,
  toLabels,
  toPlain,
  type Value,
} from './podman-compose-values.ts';

/** The label that says what a container was made from; one with another value is made anew. */
export const madeFromLabel = 'dev.lockstep.made-from';
/** Compose's own label for containers that are nobody's service, such as those of `run`. */
export const oneOffLabel = 'com.docker.compose.oneoff';

/** What podman-compose is told of a stack: the whole file, and what each service is made from. */
export interface PodmanComposeFile {
  /** JSON, which is YAML; every variable is filled in and every path absolute. */
  readonly text: string;
  /** A hash for each service: of its own entry and of the definitions that it uses. */
  readonly madeFrom: ReadonlyMap<string, string>;
  /** The same for each network, under the name that it has in the files. */
  readonly networksFrom: ReadonlyMap<string, string>;
}

/** What the file is written from and for. */
export interface PodmanComposeSource {
  readonly stack: Stack;
  /** The merged compose files, variables filled in. */
  readonly filled: Mapping;
  /** The folder that relative paths count from. */
  readonly root: string;
  /** podman-compose's version: what it can be told depends on it. */
  readonly version: string;
  /** Where the text of a config that has no file of its own is put. */
  readonly configFile: (name: string) => string;
  /** The id of an image, so that a new one under the same name counts as a change. */
  readonly imageId: (image: string) => string;
}

/**
 * Writes a compose file that podman-compose reads as it is meant.
 *
 * No `depends_on`: from it podman-compose 1.0.6 to 1.6.0 build chains of `--requires` over one-shots that have ended, which
 * Podman then refuses to start. No `build`: images are built before. Health checks of versions before 1.4 become one shell
 * line, since those glue the words of a CMD together.
 *
 * @throws {EngineError} naming what this podman-compose cannot be told
 */
export function writePodmanCompose(source: PodmanComposeSource): PodmanComposeFile {
  const { stack, filled } = source;
  const services = [...stack.services.values()];
  const order = startOrder(
    new Map(services.map(({ name, dependsOn }) => [name, dependsOn.map((one) => one.service)])),
  );
  const plain = services.map((service) => ({ service, entry: serviceEntry(service.name, source) }));
  const networkUses = plain.flatMap(({ entry }) => networkNames(entry));
  const networks = marked(used(definitions(filled, 'networks'), networkUses), 'network');
  const volumes = marked(used(definitions(filled, 'volumes'), services.flatMap(volumeNames)), 'volume');
  const secrets = Object.fromEntries([...stack.secrets].map(([name, file]) => [name, { file }]));
  const madeFrom = new Map<string, string>();
  const entries: [string, Value][] = plain.map(({ service, entry }) => {
    const parts = [
      entry,
      used(networks, networkNames(entry)),
      used(volumes, volumeNames(service)),
      used(
        secrets,
        service.secrets.map(({ name }) => name),
      ),
      source.imageId(String(entry['image'])),
    ];
    const hash = hashOf(parts);
    madeFrom.set(service.name, hash);
    return [service.name, { ...entry, labels: { ...(entry['labels'] as Entry), [madeFromLabel]: hash } }];
  });
  // podman-compose makes them in this order.
  entries.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  // In a pod the containers would be removed and started together.
  const file = {
    'x-podman': { in_pod: false },
    services: Object.fromEntries(entries),
    networks,
    volumes,
    secrets,
  };
  const networksFrom = new Map(
    Object.entries(networks).map(([name, one]) => [
      name,
      String(toLabels((one as Entry)['labels'])[madeFromLabel]),
    ]),
  );
  return { text: `${JSON.stringify(escaped(file), null, 2)}\n`, madeFrom, networksFrom };
}

function volumeNames({ mounts }: Service): string[] {
  return mounts.flatMap(({ kind, source }) => (kind === 'volume' ? [source] : []));
}

/**
 * The file for one run of a service with other arguments, under a container name of its own. It publishes no ports.
 *
 * @param changes of the service's entry, such as its command
 */
export function writeOneOff(file: PodmanComposeFile, service: string, changes: Entry): string {
  const whole = JSON.parse(file.text) as Entry;
  const { ports, healthcheck, ...entry } = (whole['services'] as Entry)[service] as Entry;
  const labels = { ...(entry['labels'] as Entry), [oneOffLabel]: 'True' };
  const changed = { ...entry, ...(escaped(changes) as Entry), labels, restart: 'no' };
  const networks = used(whole['networks'] as Entry, networkNames(entry));
  return `${JSON.stringify({ ...whole, networks, services: { [service]: changed } }, null, 2)}\n`;
}

/** Keys that mean nothing to podman-compose, mislead it, or are written anew below. */
const leftOut = new Set(
  'build configs depends_on develop env_file links profiles pull_policy scale'.split(' '),
);

function serviceEntry(name: string, source: PodmanComposeSource): Entry {
  const service = source.stack.services.get(name);
  const tree = at(at(source.filled, 'services'), name);
  if (service === undefined || tree?.kind !== 'map') throw new Error(`no service ${name}`);
  const kept = [...tree.entries].filter(([key]) => !leftOut.has(key) && !key.startsWith('x-'));
  const entry = Object.fromEntries(kept.map(([key, value]) => [key, toPlain(value)]));
  const volumes = [...mountWords(service, tree, source), ...configWords(service, source)];
  return {
    ...entry,
    environment: Object.fromEntries(service.environment),
    labels: toLabels(entry['labels']),
    restart: entry['restart'] === false ? 'no' : (entry['restart'] ?? 'no'),
    ...(tree.entries.has('ports') ? { ports: portWords(tree) } : {}),
    ...(tree.entries.has('networks') ? { networks: networksOf(service, tree, source) } : {}),
    ...(tree.entries.has('healthcheck') ? { healthcheck: healthcheckOf(service, tree, source) } : {}),
    volumes,
  };
}

/** Every mount in its long form, with absolute sources: the short one cannot hold every path. */
function mountWords(service: Service, tree: Mapping, { root }: PodmanComposeSource): Value[] {
  const items = at(tree, 'volumes');
  if (items?.kind !== 'list') return [];
  return items.items.map((item): Value => {
    const long = item.kind === 'map' ? (toPlain(item) as Entry) : longMount(String(toPlain(item)));
    const path = long['type'] === 'bind' ? pathFrom(root, String(long['source'])) : undefined;
    if (path !== undefined && /[:,]/.test(path)) {
      throw new EngineError('podman-compose cannot mount a path with a colon or a comma', [
        `${service.name}: ${path}`,
      ]);
    }
    return path === undefined ? long : { ...long, source: path };
  });
}

function longMount(text: string): Entry {
  const [source = '', target = '', options = ''] = text.split(':');
  const words = options.split(',');
  return {
    type: /^[./~]/.test(source) ? 'bind' : 'volume',
    source,
    target,
    ...(words.includes('ro') ? { read_only: true } : {}),
    // The only option that every version passes on as it stands, and so the one for SELinux's labels.
    ...(words.includes('z') || words.includes('Z')
      ? { bind: { propagation: words.includes('z') ? 'z' : 'Z' } }
      : {}),
  };
}

/** podman-compose knows no configs; a file that is mounted read-only is the same thing. */
function configWords({ configs }: Service, { stack, configFile }: PodmanComposeSource): Value[] {
  return configs.map(({ name, target }) => ({
    type: 'bind',
    source: stack.configs.get(name) ?? configFile(name),
    target,
    read_only: true,
  }));
}

function portWords(tree: Mapping): Value[] {
  const ports = at(tree, 'ports');
  if (ports?.kind !== 'list') return [];
  return ports.items.map((item) => (item.kind === 'map' ? toPlain(item) : String(toPlain(item))));
}

/** A list of names, which every version reads; as a map only where a network has aliases or an address. */
function networksOf(service: Service, tree: Mapping, { version }: PodmanComposeSource): Value {
  const networks = at(tree, 'networks');
  if (networks?.kind !== 'map') return networks === undefined ? [] : toPlain(networks);
  const details = [...networks.entries].some(([, value]) => value.kind === 'map' && value.entries.size > 0);
  if (!details) return [...networks.entries.keys()];
  if (isBefore(version, '1.0.6')) {
    throw new EngineError(
      `podman-compose ${version} cannot give a service aliases or addresses in a network`,
      [`${service.name}: networks`],
    );
  }
  return toPlain(networks);
}

function healthcheckOf({ healthcheck }: Service, tree: Mapping, { version }: PodmanComposeSource): Value {
  const check = at(tree, 'healthcheck');
  if (healthcheck === undefined || check?.kind !== 'map') return { test: ['NONE'] };
  const { disable, start_interval, test, ...times } = toPlain(check) as Entry;
  const [kind, ...words] = healthcheck.test;
  if (kind === undefined) return times;
  if (kind === 'CMD-SHELL') return { ...times, test: words.join(' ') };
  return { ...times, test: isBefore(version, '1.4') ? words.map(shellWord).join(' ') : [kind, ...words] };
}

function definitions(filled: Mapping, key: string): Entry {
  const tree = at(filled, key);
  return tree?.kind === 'map' ? (toPlain(tree) as Entry) : {};
}

/** Networks and volumes that no service uses make old versions stop. */
function used(all: Entry, names: readonly string[]): Entry {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

/**
 * With a hash of what each is made from, and the label that Docker Compose looks for, so that it takes them for its own
 * should it run the stack next. Those of others (`external`) stay as they are.
 */
function marked(all: Entry, kind: 'network' | 'volume'): Entry {
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => {
      const definition = (value ?? {}) as Entry;
      if (definition['external'] !== undefined && definition['external'] !== false) return [name, definition];
      const own = { [`com.docker.compose.${kind}`]: name, [madeFromLabel]: hashOf(definition) };
      return [name, { ...definition, labels: { ...toLabels(definition['labels']), ...own } }];
    }),
  );
}

function networkNames({ networks }: Entry): string[] {
  if (networks === undefined || networks === null) return ['default'];
  return Array.isArray(networks) ? networks.map(String) : Object.keys(networks as Entry);
}
