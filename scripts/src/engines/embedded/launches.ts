import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Mistakes } from '../../compose/mistakes.ts';
import { isOneShot, type Service, type Stack, serviceUrl } from '../../compose/stack.ts';
import type { Project } from '../../project.ts';
import type { Folders } from './folders.ts';
import type { HealthTimes, Launch, Probe } from './launch.ts';
import { type Localise, localiser } from './local-names.ts';
import { type Program, type ProgramInput, postgresProgram, vaultProgram } from './programs.ts';
import { makeVolumes } from './volumes.ts';

/** The stack as local processes. */
export interface Launches {
  readonly launches: readonly Launch[];
  /** Sentences for people: what lives in an unusual place and why. */
  readonly notes: readonly string[];
}

/**
 * Turns every service of the stack into a local process, and makes the volumes' folders.
 *
 * @param inherited the environment every process starts from
 * @throws {StackFileError} listing every service that cannot become a process
 */
export function makeLaunches(
  stack: Stack,
  project: Project,
  folders: Folders,
  inherited: Readonly<Record<string, string>>,
): Launches {
  checkEmbedded(stack);
  const volumes = makeVolumes(stack, folders);
  const notes = [...volumes.notes];
  const launches = [...stack.services.values()].map((service) => {
    const localise = localiser(stack, service, volumes.folder);
    const environment = Object.fromEntries(
      [...service.environment].map(([name, value]) => [name, localise(value)]),
    );
    const program = makeProgram({
      service,
      localise,
      environment,
      folders,
      stack,
      inherited,
      notes,
    });
    return assemble(stack, service, program, { environment, inherited, root: project.root });
  });
  return { launches, notes };
}

/** What only the embedded engine asks of the files. */
function checkEmbedded(stack: Stack): void {
  const mistakes = new Mistakes();
  for (const service of stack.services.values()) {
    const { name, place, embedded, environment, ports, mounts, secrets, configs } = service;
    const say = (text: string) => mistakes.add(place, `${name}: ${text}`);
    if (embedded === undefined) say('no x-embedded key says what it is as a local process');
    if (embedded?.program !== undefined && ports.length !== 1) say('expected exactly one published port');
    if (embedded?.program === 'postgres') {
      for (const key of ['POSTGRES_USER', 'POSTGRES_PASSWORD_FILE']) {
        if (!environment.get(key)) say(`environment: ${key} is required`);
      }
      if (mounts.filter(({ kind }) => kind === 'volume').length !== 1)
        say('expected exactly one named volume');
    }
    for (const { name: secret } of secrets) {
      const file = stack.secrets.get(secret) ?? '';
      if (!existsSync(file)) say(`secrets: ${secret}: no such file: ${file}`);
    }
    for (const { name: config, place: at } of configs) {
      if (stack.configs.has(config)) continue;
      mistakes.add(at, `${name}: configs: ${config} has no file, which a local process needs`);
    }
    if (embedded?.program === 'vault' && secrets.length !== 1)
      say('expected exactly one secret, the root token');
  }
  mistakes.finish();
}

function makeProgram(input: ProgramInput): Program {
  const { service, localise } = input;
  const [port] = service.ports;
  if (service.embedded?.program === 'postgres' && port !== undefined) return postgresProgram(input, port);
  if (service.embedded?.program === 'vault' && port !== undefined) return vaultProgram(input, port);
  const argv = [...(service.embedded?.entrypoint ?? []), ...service.command].map(localise);
  return { argv: withOwnNode(argv), probe: probeOf(service, localise) };
}

/** `node` is the one that runs this program, whatever PATH says. */
function withOwnNode(argv: readonly string[]): string[] {
  return argv.map((word, index) => (index === 0 && word === 'node' ? process.execPath : word));
}

/** `node x.cjs` starts from V8's compiled code of it where the build left that; see scripts/build/start.cjs. */
function fromCompiledCode([program = '', script = '', ...words]: readonly string[], root: string): string[] {
  const start = script.replace(/\.cjs$/, '.start.cjs');
  const found = program === process.execPath && start !== script && existsSync(resolve(root, start));
  return [program, ...(script === '' ? [] : [found ? start : script]), ...words];
}

function probeOf({ embedded, healthcheck }: Service, localise: Localise): Probe | undefined {
  if (embedded?.healthUrl !== undefined) {
    return { kind: 'http', url: localise(embedded.healthUrl).replace('//0.0.0.0:', '//127.0.0.1:') };
  }
  const [kind, ...rest] = healthcheck?.test ?? [];
  if (kind === undefined) return undefined;
  const argv = rest.map(localise);
  return { kind: 'command', argv: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...argv] : withOwnNode(argv) };
}

interface Shared {
  readonly environment: Readonly<Record<string, string>>;
  readonly inherited: Readonly<Record<string, string>>;
  readonly root: string;
}

function assemble(stack: Stack, service: Service, program: Program, shared: Shared): Launch {
  const { environment, inherited, root } = shared;
  const { argv, environmentFiles = {}, user, cluster, probe } = program;
  const files = [...argv, ...Object.values(environmentFiles)].map((word) => fingerprint(resolve(root, word)));
  const identity = JSON.stringify([argv, environment, files, user, probe]);
  return {
    service: service.name,
    argv: fromCompiledCode(argv, root),
    environment: { ...inherited, ...environment },
    environmentFiles,
    folder: root,
    user,
    cluster,
    probe,
    health: healthTimes(service, stack.services.size),
    dependsOn: service.dependsOn.map((one) => ({ service: one.service, condition: one.condition })),
    restart: service.restart,
    stopSignal: service.stopSignal,
    stopGraceMilliseconds: service.stopGraceMilliseconds,
    oneShot: isOneShot(stack, service.name),
    url: serviceUrl(service),
    hash: createHash('sha256').update(identity).digest('hex'),
  };
}

/**
 * The engine's own probes cost little: they look once a second, however far apart a container's are. Of many services each is asked less
 * often, so that all of them together are asked 50 times a second at most: two hundred asked every second kept a core busy.
 */
const ownProbe = { interval: 1_000, most: 50, timeout: 3_000 };

function healthTimes({ healthcheck, embedded }: Service, services: number): HealthTimes {
  const own = Math.max(ownProbe.interval, (services / ownProbe.most) * 1_000);
  const interval = healthcheck?.intervalMilliseconds ?? own;
  const timeout = healthcheck?.timeoutMilliseconds ?? ownProbe.timeout;
  const isOwn = embedded?.program !== undefined || embedded?.healthUrl !== undefined;
  return {
    intervalMilliseconds: embedded?.program !== undefined ? own : isOwn ? Math.min(interval, own) : interval,
    timeoutMilliseconds: isOwn ? Math.min(timeout, ownProbe.timeout) : timeout,
    retries: healthcheck?.retries ?? 60,
    startPeriodMilliseconds: healthcheck?.startPeriodMilliseconds ?? 60_000,
  };
}

/** The machine's own programs (Node has a hundred megabytes) are told apart by size and time. */
const largestRead = 16 * 1024 * 1024;

/** What a file holds: an app whose program was rebuilt counts as changed, and one that was only written again does not. */
function fingerprint(path: string): string {
  try {
    const found = statSync(path);
    if (!found.isFile()) return '';
    const { size, mtimeMs } = found;
    if (size > largestRead) return `${size} ${mtimeMs}`;
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return '';
  }
}
