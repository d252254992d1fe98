import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Mistakes } from '../../scripts/src/compose/mistakes.ts';
import { loadStack, readStack, readStackFiles } from '../../scripts/src/compose/read-stack.ts';
import type { Service } from '../../scripts/src/compose/stack.ts';
import type { Tree } from '../../scripts/src/compose/tree.ts';
import { composeDuration } from '../../scripts/src/compose/values.ts';
import { settingsOf } from '../../scripts/src/prepare.ts';
import { findProject } from '../../scripts/src/project.ts';
import type { StackCase } from './compose-cases.ts';

/** What somebody makes of a project's files: what its services are, or why they are refused. */
export type Reading = { readonly services: Readonly<Record<string, unknown>> } | { readonly refused: string };

type Values = Readonly<Record<string, string | null>>;
interface ComposeService {
  readonly command: readonly string[] | null;
  readonly environment?: Values;
  readonly labels?: Values;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: {
    readonly test?: readonly string[];
    readonly disable?: boolean;
    readonly retries?: number;
    readonly interval?: string;
    readonly timeout?: string;
    readonly start_period?: string;
  };
  readonly ports?: readonly {
    readonly host_ip?: string;
    readonly published?: string;
    readonly target: number;
    readonly protocol: string;
  }[];
  readonly volumes?: readonly { readonly type: string; readonly source?: string; readonly target: string }[];
  readonly secrets?: readonly { readonly source: string; readonly target?: string }[];
  readonly configs?: readonly { readonly source: string; readonly target?: string }[];
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
  readonly networks?: Readonly<Record<string, unknown>> | null;
}
interface ComposeModel {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
}

/** What a process sees of the environment: what finds programs, and what a case sets. */
export function environmentOf({ environment = {} }: Pick<StackCase, 'environment'>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment };
}

/** Writes a case's files, and the folders that cases mount. */
export async function writeCase(folder: string, { files }: Pick<StackCase, 'files'>): Promise<void> {
  for (const mounted of ['d', 'q', 'v', 'sub/d', 'other/d', 's/v', 's/t/v', 's/t/k', 'nodir/v'])
    await mkdir(join(folder, mounted), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** As Docker Compose reads the project in a folder: `config`, which asks no daemon. */
export async function readingOfCompose(
  [program = '', ...args]: readonly string[],
  folder: string,
  one: Pick<StackCase, 'environment'>,
): Promise<Reading> {
  const env = { ...environmentOf(one), DOCKER_CONFIG: process.env['DOCKER_CONFIG'] };
  return new Promise((done) => {
    execFile(
      program,
      [...args, 'config', '--format', 'json'],
      { cwd: folder, env, maxBuffer: 1 << 24 },
      (error, stdout, stderr) => {
        if (error !== null) return done({ refused: stderr.trim() });
        // `config` doubles every dollar sign, so that its output can be read again.
        const model = JSON.parse(stdout.replaceAll('$$', '$')) as ComposeModel;
        const { services } = model;
        const shown = Object.entries(services).map(
          ([name, one]) => [name, shownOfCompose(one, services)] as const,
        );
        done({ services: { ...named(folder, model.name), ...Object.fromEntries(shown) } });
      },
    );
  });
}

/** The name counts where `.env` or the environment gives it; else the stack makes up one of its own. */
function named(folder: string, name: string): Readonly<Record<string, string>> {
  return existsSync(join(folder, '.env')) ? { 'the name': name } : {};
}

function shownOfCompose(one: ComposeService, services: ComposeModel['services']): unknown {
  const there = Object.entries(one.depends_on ?? {}).filter(([name]) => services[name] !== undefined);
  const check = one.healthcheck;
  const hasCheck = check !== undefined && check.disable !== true && check.test?.[0] !== 'NONE';
  return {
    command: one.command ?? [],
    environment: present(one.environment ?? {}),
    labels: present(one.labels ?? {}),
    dependsOn: Object.fromEntries(
      there.map(([name, { condition, required }]) => [name, `${condition} ${required ?? true}`]),
    ),
    ports: (one.ports ?? [])
      .filter(({ protocol }) => protocol === 'tcp')
      .map((port) => `${port.host_ip ?? '0.0.0.0'}:${port.published}:${port.target}`),
    mounts: (one.volumes ?? [])
      .filter(({ type }) => type !== 'tmpfs')
      .map(({ type, source, target }) => `${type} ${source} ${target}`),
    secrets: (one.secrets ?? []).map(
      ({ source, target }) => `${source} ${resolve('/run/secrets', target ?? source)}`,
    ),
    configs: (one.configs ?? []).map(({ source, target }) => `${source} ${resolve('/', target ?? source)}`),
    healthcheck: hasCheck
      ? {
          test: check.test ?? [],
          interval: milliseconds(check.interval, 30_000),
          timeout: milliseconds(check.timeout, 30_000),
          start: milliseconds(check.start_period, 0),
          retries: check.retries ?? 3,
        }
      : undefined,
    grace: milliseconds(one.stop_grace_period, 10_000),
    profiles: one.profiles ?? [],
    networks: Object.keys(one.networks ?? {}).toSorted(),
  };
}

function present(values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  );
}

function milliseconds(text: string | undefined, fallback: number): number | undefined {
  return text === undefined ? fallback : composeDuration(text);
}

/** As this project reads it; with the environment of a case instead of this process's. */
export function readingOfOurs(folder: string, one: Pick<StackCase, 'environment'>): Reading {
  return inEnvironment(environmentOf(one), folder, () => {
    try {
      const project = findProject(folder);
      const files = readStackFiles(project);
      const setting = settingsOf(project);
      const { stack } = readStack(files, setting);
      const services = at(loadStack(files, setting, new Mistakes()).tree, 'services');
      const shown = [...stack.services].map(
        ([name, service]) => [name, shownOfOurs(service, at(services, name))] as const,
      );
      return { services: { ...named(folder, stack.name), ...Object.fromEntries(shown) } };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const evidence = 'evidence' in error && Array.isArray(error.evidence) ? error.evidence : [error.stack];
      return { refused: [error.message, ...evidence].join('\n') };
    }
  });
}

/** Does `work` with another environment, in a folder. */
export function inEnvironment<T>(values: NodeJS.ProcessEnv, folder: string, work: () => T): T {
  const before = { ...process.env };
  const place = process.cwd();
  replaceEnvironment(values);
  process.chdir(folder);
  try {
    return work();
  } finally {
    process.chdir(place);
    replaceEnvironment(before);
  }
}

function replaceEnvironment(values: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in values)) delete process.env[name];
  Object.assign(process.env, values);
}

function shownOfOurs(service: Service, tree: Tree | undefined): unknown {
  const check = service.healthcheck;
  return {
    command: service.command,
    environment: Object.fromEntries(service.environment),
    labels: texts(at(tree, 'labels')),
    dependsOn: Object.fromEntries(
      service.dependsOn.map((one) => [one.service, `${one.condition} ${one.required}`]),
    ),
    ports: service.ports.map(({ host, published, target }) => `${host}:${published}:${target}`),
    mounts: service.mounts.map(({ kind, source, target }) => `${kind} ${source} ${target}`),
    secrets: service.secrets.map(({ name, target }) => `${name} ${target}`),
    configs: service.configs.map(({ name, target }) => `${name} ${target}`),
    healthcheck:
      check === undefined
        ? undefined
        : {
            test: check.test,
            interval: check.intervalMilliseconds,
            timeout: check.timeoutMilliseconds,
            start: check.startPeriodMilliseconds,
            retries: check.retries,
          },
    grace: service.stopGraceMilliseconds,
    profiles: service.profiles,
    networks: networksOf(tree),
  };
}

function networksOf(tree: Tree | undefined): readonly string[] {
  const networks = at(tree, 'networks');
  if (networks?.kind === 'map') return [...networks.entries.keys()].toSorted();
  return at(tree, 'network_mode') === undefined ? ['default'] : [];
}

function at(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.entries.get(key) : undefined;
}

function texts(tree: Tree | undefined): Record<string, string> {
  if (tree?.kind !== 'map') return {};
  return Object.fromEntries(
    [...tree.entries].map(([key, value]) => [key, value.kind === 'scalar' ? value.text : '?']),
  );
}
