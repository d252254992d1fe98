import { constants } from 'node:os';
import type { Lookup } from './interpolate.ts';
import type { Place } from './mistakes.ts';
import { readPort } from './ports.ts';
import { readConfigs, readMounts, readSecrets } from './read-mounts.ts';
import {
  type Condition,
  conditions,
  type Dependency,
  type Embedded,
  type Healthcheck,
  type Port,
  type Restart,
  type Service,
} from './stack.ts';
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
  'command configs depends_on entrypoint environment healthcheck ports profiles restart secrets stop_grace_period ' +
  'stop_signal volumes';
const known = `${containerOnly} ${readHere}`.split(' ');
/** Each would change what a service is, on every engine, in a way that is not read here. */
const unsupported =
  'env_file extends external_links links models post_start pre_stop provider scale use_api_socket volumes_from'.split(
    ' ',
  );

/** What the reader of a service needs to know of the rest of the stack. */
export interface Surroundings {
  readonly root: string;
  /** The caller's environment, for variables that are named without a value. */
  readonly lookup: Lookup;
}

/** Reads one service; mistakes go to the reader's list. */
export function readService(
  name: string,
  map: Mapping,
  read: ValueReader,
  { root, lookup }: Surroundings,
): Service {
  const place = map.place;
  for (const key of unsupported) {
    if (map.entries.has(key))
      read.mistakes.add(map.keys.get(key) ?? place, `${name}: ${key} is not supported`);
  }
  read.unknownKeys(map, [...known, ...unsupported], name);
  return {
    name,
    place,
    profiles: readProfiles(map, read),
    command: read.words(map, 'command') ?? [],
    environment: readEnvironment(map, read, lookup),
    dependsOn: readDependencies(map, read),
    healthcheck: readHealthcheck(map, read),
    restart: readRestart(map, read),
    stopSignal: readSignal(map, read),
    stopGraceMilliseconds: read.duration(map, 'stop_grace_period', 10_000),
    ports: (read.list(map, 'ports')?.items ?? [])
      .flatMap((item) => readPort(item, read))
      .filter(distinctPort()),
    mounts: readMounts(map, read, root),
    secrets: readSecrets(map, read),
    configs: readConfigs(map, read),
    embedded: readEmbedded(name, map, read),
  };
}

function readEnvironment(map: Mapping, read: ValueReader, lookup: Lookup): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [key, value] of read.map(map, 'environment')?.entries ?? []) {
    if (value.kind !== 'scalar')
      read.mistakes.add(value.place, `environment: ${key}: expected a single value`);
    else if (!/^[^=\0\s]+$/.test(key))
      read.mistakes.add(value.place, `environment: not a variable name: "${key}"`);
    else if (value.value !== null) environment.set(key, String(value.value));
    else {
      const inherited = lookup(key);
      if (inherited !== undefined) environment.set(key, inherited);
    }
  }
  return environment;
}

function readDependencies(map: Mapping, read: ValueReader): Dependency[] {
  const dependsOn = read.map(map, 'depends_on');
  return [...(dependsOn?.entries ?? [])].flatMap(([service, value]) => {
    const place = dependsOn?.keys.get(service) ?? value.place;
    if (value.kind !== 'map') {
      read.mistakes.add(place, `depends_on: ${service}: expected a map with a condition`);
      return [];
    }
    read.unknownKeys(value, ['condition', 'required', 'restart'], `depends_on: ${service}`);
    const condition = read.text(value, 'condition') ?? 'service_started';
    const required = read.scalar(value, 'required')?.value !== false;
    if (conditions.includes(condition as Condition))
      return [{ service, condition: condition as Condition, required, place }];
    const allowed = conditions.join(', ');
    read.mistakes.add(
      value.entries.get('condition')?.place ?? place,
      `depends_on: ${service}: expected ${allowed}, got "${condition}"`,
    );
    return [];
  });
}

function readHealthcheck(map: Mapping, read: ValueReader): Healthcheck | undefined {
  const check = read.map(map, 'healthcheck');
  if (check === undefined || read.scalar(check, 'disable')?.value === true) return undefined;
  const times = ['interval', 'timeout', 'retries', 'start_period', 'start_interval'];
  read.unknownKeys(check, ['test', 'disable', ...times], 'healthcheck');
  const given = check.entries.get('test');
  // As a string it is a shell line, not words to split.
  const test =
    given?.kind === 'scalar' ? ['CMD-SHELL', String(given.value)] : (read.words(check, 'test') ?? []);
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
  const match = /^(no|false|always|unless-stopped|on-failure)(?::(\d{1,6}))?$/.exec(String(value.value));
  const [, policy = '', most] = match ?? [];
  if (match === null || (most !== undefined && policy !== 'on-failure')) {
    const allowed = 'no, always, on-failure[:times], unless-stopped';
    read.mistakes.add(value.place, `restart: expected ${allowed}, got "${value.value}"`);
    return { policy: 'no' };
  }
  if (policy === 'on-failure') return { policy, ...(most === undefined ? {} : { most: Number(most) }) };
  return { policy: policy === 'always' || policy === 'unless-stopped' ? policy : 'no' };
}

function readSignal(map: Mapping, read: ValueReader): NodeJS.Signals {
  const value = read.scalar(map, 'stop_signal');
  if (value === undefined) return 'SIGTERM';
  const name = String(value.value).toUpperCase();
  const signals = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const found = signals.find(
    ([signal, number]) => signal === name || signal === `SIG${name}` || String(number) === name,
  );
  if (found === undefined) read.mistakes.add(value.place, `stop_signal: no such signal: "${value.value}"`);
  return found?.[0] ?? 'SIGTERM';
}

function readProfiles(map: Mapping, read: ValueReader): readonly string[] {
  return (read.list(map, 'profiles')?.items ?? []).flatMap((item) => {
    const name = item.kind === 'scalar' ? String(item.value) : '';
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
