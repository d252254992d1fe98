import { constants } from 'node:os';
import type { Lookup } from './interpolate.ts';
import type { Place } from './mistakes.ts';
import { readPort } from './ports.ts';
import { readDependencies } from './read-dependencies.ts';
import { readEnvironment } from './read-environment.ts';
import { readConfigs, readMounts, readSecrets } from './read-mounts.ts';
import type { Embedded, Healthcheck, Port, Restart, Service } from './stack.ts';
import type { Mapping } from './tree.ts';
import type { ValueReader } from './values.ts';

/** Known to matter only inside a container: accepted, and without meaning for a local process. */
const containerOnly =
  'annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent container_name cpu_count cpu_percent ' +
  'cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec deploy develop ' +
  'device_cgroup_rules devices dns dns_opt dns_search domainname expose extra_hosts gpus group_add hostname image init ' +
  'ipc isolation label_file labels logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit ' +
  'network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform privileged pull_policy read_only ' +
  'runtime security_opt shm_size stdin_open storage_opt sysctls tmpfs tty ulimits user userns_mode uts working_dir';
const readHere =
  'command configs depends_on entrypoint env_file environment healthcheck links ports profiles restart scale secrets ' +
  'stop_grace_period stop_signal volumes';
const known = `${containerOnly} ${readHere}`.split(' ');
/** Each would change what a service is, on every engine, in a way that is not read here. */
const unsupported = 'external_links models post_start pre_stop provider use_api_socket volumes_from'.split(
  ' ',
);

/** What the reader of a service needs to know of the rest of the stack. */
export interface Surroundings {
  /** What relative paths count from. */
  readonly folder: string;
  /** What the names of files in places count from. */
  readonly root: string;
  /** The caller's environment, for variables that are named without a value. */
  readonly lookup: Lookup;
  /** Grows by each `env_file` that is read. */
  readonly files: Set<string>;
}

/** Reads one service; mistakes go to the reader's list. */
export function readService(
  { name, at, map }: { readonly name: string; readonly at: Place; readonly map: Mapping },
  read: ValueReader,
  surroundings: Surroundings,
  takesPart: (profiles: readonly string[]) => boolean,
): Service {
  const { place } = map;
  for (const key of unsupported) {
    if (map.entries.has(key))
      read.mistakes.add(map.keys.get(key) ?? place, `${name}: ${key} is not supported`);
  }
  read.unknownKeys(map, [...known, ...unsupported], name);
  const profiles = readProfiles(map, read);
  const embedded = readEmbedded(name, map, read);
  // Of a service that takes no part Compose wants neither: they may come with its profile.
  const isActive = takesPart(profiles);
  if (isActive && embedded === undefined && !hasImage(map, read))
    read.mistakes.add(at, `${name}: expected an image or a build`);
  if (isActive) checkNetworks(name, map, read);
  checkScale(name, map, read);
  return {
    name,
    place,
    profiles,
    command: read.words(map, 'command') ?? [],
    environment: readEnvironment(map, read, surroundings, isActive),
    dependsOn: readDependencies(name, map, read),
    healthcheck: readHealthcheck(map, read),
    restart: readRestart(map, read),
    stopSignal: readSignal(map, read),
    stopGraceMilliseconds: read.duration(map, 'stop_grace_period', 10_000),
    ports: (read.list(map, 'ports')?.items ?? [])
      .flatMap((item) => readPort(item, read))
      .filter(distinctPort()),
    mounts: readMounts(map, read, surroundings.folder),
    secrets: readSecrets(map, read),
    configs: readConfigs(map, read),
    embedded,
  };
}

function hasImage(map: Mapping, read: ValueReader): boolean {
  return (read.string(map, 'image') ?? '') !== '' || map.entries.has('build');
}

function checkNetworks(name: string, map: Mapping, read: ValueReader): void {
  const mode = read.text(map, 'network_mode') ?? '';
  const at = map.keys.get('network_mode');
  if (mode !== '' && at !== undefined && map.entries.has('networks'))
    read.mistakes.add(at, `${name}: network_mode and networks exclude each other`);
}

/** One of each service is started; more would need a choice of ports, and names that other services do not know. */
function checkScale(name: string, map: Mapping, read: ValueReader): void {
  const deploy = map.entries.get('deploy');
  for (const [parent, key, shown] of [
    [map, 'scale', 'scale'],
    [deploy, 'replicas', 'deploy.replicas'],
  ] as const) {
    const value = parent?.kind === 'map' ? read.scalar(parent, key) : undefined;
    if (value !== undefined && value.text !== '1')
      read.mistakes.add(value.place, `${name}: ${shown}: only 1 is supported, got ${value.text}`);
  }
}

function readHealthcheck(map: Mapping, read: ValueReader): Healthcheck | undefined {
  const check = read.map(map, 'healthcheck');
  if (check === undefined || read.flag(check, 'disable', false)) return undefined;
  const times = ['interval', 'timeout', 'retries', 'start_period', 'start_interval'];
  read.unknownKeys(check, ['test', 'disable', ...times], 'healthcheck');
  const given = check.entries.get('test');
  // As a string it is a shell line, not words to split.
  const isLine = given?.kind === 'scalar' && given.type === 'string';
  const test = isLine ? ['CMD-SHELL', given.text] : (read.words(check, 'test') ?? []);
  const [first] = test;
  if (first === 'NONE') return undefined;
  if (first !== undefined && first !== 'CMD' && first !== 'CMD-SHELL') {
    read.mistakes.add(
      given?.place ?? check.place,
      `healthcheck: test: expected CMD, CMD-SHELL or NONE first, got "${first}"`,
    );
  }
  return {
    test,
    intervalMilliseconds: read.duration(check, 'interval', 30_000),
    timeoutMilliseconds: read.duration(check, 'timeout', 30_000),
    retries: Math.max(1, read.whole(check, 'retries', 3)),
    startPeriodMilliseconds: read.duration(check, 'start_period', 0),
  };
}

function readRestart(map: Mapping, read: ValueReader): Restart {
  const value = read.scalar(map, 'restart');
  if (value === undefined) return { policy: 'no' };
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d{1,6}))?$/.exec(value.text);
  const [, policy = '', most] = match ?? [];
  if (match === null || (most !== undefined && policy !== 'on-failure')) {
    const allowed = 'no, always, on-failure[:times], unless-stopped';
    read.mistakes.add(value.place, `restart: expected ${allowed}, got "${value.text}"`);
    return { policy: 'no' };
  }
  if (policy === 'on-failure') return { policy, ...(most === undefined ? {} : { most: Number(most) }) };
  return { policy: policy === 'always' || policy === 'unless-stopped' ? policy : 'no' };
}

function readSignal(map: Mapping, read: ValueReader): NodeJS.Signals {
  const value = read.scalar(map, 'stop_signal');
  if (value === undefined) return 'SIGTERM';
  const name = value.text.toUpperCase();
  const signals = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const found = signals.find(
    ([signal, number]) => signal === name || signal === `SIG${name}` || String(number) === name,
  );
  if (found === undefined) read.mistakes.add(value.place, `stop_signal: no such signal: "${value.text}"`);
  return found?.[0] ?? 'SIGTERM';
}

function readProfiles(map: Mapping, read: ValueReader): readonly string[] {
  return (read.list(map, 'profiles')?.items ?? []).flatMap((item) => {
    const name = item.kind === 'scalar' ? item.text : '';
    if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return [name];
    const rule = 'letters, digits, ., - and _, beginning with a letter or digit';
    read.mistakes.add(item.place, `profiles: expected ${rule}, got ${JSON.stringify(name)}`);
    return [];
  });
}

function readEmbedded(name: string, map: Mapping, read: ValueReader): Embedded | undefined {
  const embedded = read.map(map, 'x-embedded');
  if (embedded === undefined) return undefined;
  const at = (key: string): Place => embedded.keys.get(key) ?? embedded.place;
  const keys = ['program', 'entrypoint', 'healthcheck'];
  read.unknownKeys(embedded, keys, `${name}: x-embedded`);
  const program = read.text(embedded, 'program');
  const entrypoint = read.words(embedded, 'entrypoint') ?? [];
  if (program !== undefined && program !== 'postgres' && program !== 'vault') {
    read.mistakes.add(
      at('program'),
      `${name}: x-embedded: program: expected postgres or vault, got "${program}"`,
    );
  }
  if ((program === undefined) === (entrypoint.length === 0)) {
    read.mistakes.add(embedded.place, `${name}: x-embedded: expected either a program or an entrypoint`);
  }
  const check = read.map(embedded, 'healthcheck');
  if (check !== undefined) read.unknownKeys(check, ['http'], `${name}: x-embedded: healthcheck`);
  const healthUrl = check === undefined ? undefined : read.text(check, 'http');
  if (check !== undefined && !/^http:\/\/[^/]+/.test(healthUrl ?? '')) {
    read.mistakes.add(
      at('healthcheck'),
      `${name}: x-embedded: healthcheck: expected http: and an http:// URL`,
    );
  }
  return {
    program: program === 'postgres' || program === 'vault' ? program : undefined,
    entrypoint,
    healthUrl,
  };
}

function distinctPort(): (port: Port) => boolean {
  const seen = new Set<string>();
  return ({ host, published, target }) => {
    const key = `${host} ${published} ${target}`;
    return !seen.has(key) && seen.add(key).has(key);
  };
}
