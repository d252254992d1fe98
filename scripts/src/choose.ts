import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Availability, Engine, EngineName } from './engine.ts';
import { engineNames } from './engine.ts';
import { EngineUnavailable } from './errors.ts';
import type { OpenedStack } from './prepare.ts';
import type { Project } from './project.ts';

/** The engine to use, and, when a better one was passed over, why. */
export interface Choice {
  readonly engine: Engine;
  readonly passedOver: readonly Availability[];
}

/** Asks every engine whether it can run here, all at once; bounded by 2.5 seconds. */
export async function askEngines(names: readonly EngineName[] = engineNames): Promise<Candidate[]> {
  return Promise.all(names.map(askEngine));
}

/** What an engine answered, and how to make it. */
export interface Candidate {
  readonly availability: Availability;
  readonly make: (opened: OpenedStack) => Promise<Engine>;
}

async function askEngine(name: EngineName): Promise<Candidate> {
  if (name === 'embedded') {
    const { embeddedAvailability, EmbeddedEngine } = await import('./engines/embedded/engine.ts');
    const make = async ({ stack, project }: OpenedStack) => new EmbeddedEngine(stack, project);
    return { availability: embeddedAvailability(), make };
  }
  const [{ ask, ComposeEngine }, { findDocker, findPodman }] = await Promise.all([
    import('./engines/compose.ts'),
    import('./engines/compose-program.ts'),
  ]);
  const found = await (name === 'docker' ? findDocker(ask) : findPodman(ask));
  const make = async ({ stack, project }: OpenedStack) => {
    if (!('command' in found))
      throw new EngineUnavailable(`${name} did not answer`, [found.availability.reason], undefined);
    return new ComposeEngine(name, found.command, stack, project);
  };
  return { availability: found.availability, make };
}

/**
 * Chooses the engine: the named one; with `auto`, the one this stack was last started with, else the first of docker,
 * podman and embedded that can run here.
 *
 * @throws {EngineUnavailable} with every reason when none can, or the named one cannot
 */
export async function chooseEngine(wanted: EngineName | 'auto', opened: OpenedStack): Promise<Choice> {
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
  }
  const candidates = await askEngines();
  const chosen = candidates.find(({ availability }) => availability.available);
  const reasons = candidates.map(({ availability }) => availability);
  if (chosen === undefined) throw notThere('auto', reasons);
  const passedOver = reasons.slice(0, candidates.indexOf(chosen));
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
  mkdirSync(project.stateFolder, { recursive: true, mode: 0o700 });
  writeFileSync(recordFile(project), `${name}\n`, { mode: 0o600 });
}

export function forgetEngine(project: Project): void {
  rmSync(recordFile(project), { force: true });
}
