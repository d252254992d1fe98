import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Availability, Engine, EngineName } from './engine.ts';
import { engineNames } from './engine.ts';
import type { Ask, ComposeProgram, FoundCompose } from './engines/compose-program.ts';
import { environment } from './environment.ts';
import { EngineUnavailable, PreflightError, systemReason } from './errors.ts';
import type { OpenedStack } from './prepare.ts';
import type { Project } from './project.ts';

/** The engine to use, and, when a better one was passed over, why. */
export interface Choice {
  readonly engine: Engine;
  readonly passedOver: readonly Availability[];
}

/** Asks every engine whether it can run here, all at once; bounded by 2.5 seconds, by 15 when only one is asked. */
export async function askEngines(names: readonly EngineName[] = engineNames): Promise<Candidate[]> {
  const isOnly = names.length === 1;
  return Promise.all(names.map((name) => askEngine(name, isOnly)));
}

/** What an engine answered, and how to make it. */
export interface Candidate {
  readonly availability: Availability;
  /** Of a container engine: every way that was tried, and what is known to be wrong with the one that was chosen. */
  readonly found?: FoundCompose;
  readonly make: (opened: OpenedStack) => Promise<Engine>;
}

async function askEngine(name: EngineName, isOnly: boolean): Promise<Candidate> {
  if (name === 'embedded') {
    const { embeddedAvailability, EmbeddedEngine } = await import('./engines/embedded/engine.ts');
    const make = async ({ stack, project }: OpenedStack) => new EmbeddedEngine(stack, project);
    return { availability: embeddedAvailability(), make };
  }
  const { askWithin, briefly, patiently } = await import('./engines/ask.ts');
  const ask = askWithin(isOnly ? patiently : briefly);
  const found = await (name === 'docker' ? findDockerHere(ask) : findPodmanHere(ask, askWithin(briefly)));
  const make = async (opened: OpenedStack) => {
    if (!('command' in found))
      throw new EngineUnavailable(`${name} did not answer`, [found.availability.reason], undefined);
    return makeContainerEngine(name, found, opened);
  };
  return { availability: found.availability, found, make };
}

async function findDockerHere(ask: Ask): Promise<FoundCompose> {
  const { findDocker } = await import('./engines/compose-program.ts');
  return findDocker(ask);
}

/** Podman can do without Docker's daemon: one that hangs must not hold it up. */
async function findPodmanHere(ask: Ask, askBriefly: Ask): Promise<FoundCompose> {
  const { findPodman } = await import('./engines/podman-program.ts');
  const asksDaemon = (program: string, [command]: readonly string[]) =>
    program === 'docker' && command === 'version';
  return findPodman(
    (program, args) => (asksDaemon(program, args) ? askBriefly : ask)(program, args),
    environment,
  );
}

async function makeContainerEngine(
  name: 'docker' | 'podman',
  { flavour, command, program, environment: extra, versions, needsService }: ComposeProgram,
  opened: OpenedStack,
): Promise<Engine> {
  if (flavour === 'podman-compose') {
    const { PodmanComposeEngine } = await import('./engines/podman-compose.ts');
    return new PodmanComposeEngine(
      { command, program, environment: extra, version: versions.compose },
      opened,
    );
  }
  const service = needsService ? await import('./engines/podman-service.ts') : undefined;
  const address = await service?.ensurePodmanService(opened.project);
  const [{ ComposeEngine }, { isBefore }] = await Promise.all([
    import('./engines/compose.ts'),
    import('./engines/engine-defects.ts'),
  ]);
  // `podman compose` overwrites DOCKER_HOST with the socket that it was told of itself.
  const isByPodman = address !== undefined && command[0] === 'podman';
  const tools = {
    command: isByPodman ? (['podman', '--url', address, 'compose'] as const) : command,
    program,
    losesStatusOfRemoved: program === 'podman' && isBefore(versions.engine, '4.6'),
    environment: address === undefined ? extra : { ...extra, DOCKER_HOST: address },
  };
  return new ComposeEngine(name, tools, opened);
}

/**
 * Chooses the engine: the named one; with `auto`, the one this stack was last started with, else the first of docker,
 * podman and embedded that can run here.
 *
 * @param tried engines that were chosen before and turned out not to be able to
 * @throws {EngineUnavailable} with every reason when none can, or the named one cannot
 */
export async function chooseEngine(
  wanted: EngineName | 'auto',
  opened: OpenedStack,
  tried: readonly Availability[] = [],
): Promise<Choice> {
  if (wanted !== 'auto') {
    const [candidate] = await askEngines([wanted]);
    if (candidate?.availability.available === true)
      return { engine: await candidate.make(opened), passedOver: [] };
    throw notThere(
      wanted,
      (await askEngines()).map(({ availability }) => availability),
    );
  }
  const recorded = recordedEngine(opened.project);
  if (recorded !== undefined) {
    const [candidate] = await askEngines([recorded]);
    if (candidate?.availability.available === true)
      return { engine: await candidate.make(opened), passedOver: [] };
    // To look elsewhere would be to lose a stack that may still run.
    throw new EngineUnavailable(
      `the stack was started on ${recorded}, which does not answer now`,
      [`${recorded}: ${candidate?.availability.reason ?? 'unknown'}`],
      `start ${recorded} again; or name another engine, make up ENGINE=embedded`,
    );
  }
  const isTried = (name: EngineName) => tried.some((one) => one.name === name);
  const candidates = (await askEngines()).filter(({ availability }) => !isTried(availability.name));
  const chosen = candidates.find(({ availability }) => availability.available);
  const reasons = [...tried, ...candidates.map(({ availability }) => availability)];
  if (chosen === undefined) throw notThere('auto', reasons);
  const passedOver = reasons.slice(0, tried.length + candidates.indexOf(chosen));
  return { engine: await chosen.make(opened), passedOver };
}

function notThere(wanted: EngineName | 'auto', all: readonly Availability[]): EngineUnavailable {
  const other = all.find(({ available }) => available);
  return new EngineUnavailable(
    wanted === 'auto' ? 'no engine can run here' : `the engine ${wanted} cannot run here`,
    all.map(({ name, reason }) => `${name}: ${reason}`),
    other === undefined ? 'make doctor' : `make up ENGINE=${other.name}`,
  );
}

function recordFile(project: Project): string {
  return join(project.stateFolder, 'engine');
}

/** The engine the stack was started with and not yet stopped by. */
export function recordedEngine(project: Project): EngineName | undefined {
  try {
    const name = readFileSync(recordFile(project), 'utf8').trim();
    return engineNames.find((known) => known === name);
  } catch {
    return undefined;
  }
}

/** So that `make status` and `make down` without ENGINE speak to the engine that runs the stack. */
export function recordEngine(project: Project, name: EngineName): void {
  const file = recordFile(project);
  try {
    mkdirSync(project.stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${name}\n`, { mode: 0o600 });
  } catch (error) {
    throw new PreflightError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
}

export function forgetEngine(project: Project): void {
  rmSync(recordFile(project), { force: true });
}
