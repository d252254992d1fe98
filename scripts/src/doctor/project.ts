import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, renderFailure } from '@lockstep/foundation';
import { rootProblem } from '../../build/machine.mjs';
import { leftProblem, readOnlyProblem } from '../checkout/access.ts';
import { explain, SystemFailure } from '../checkout/system-failure.ts';
import { recordedEngine } from '../choose.ts';
import type { Stack } from '../compose/stack.ts';
import { engineNames } from '../engine.ts';
import { foldersOf } from '../engines/embedded/folders.ts';
import { readState } from '../engines/embedded/state-file.ts';
import { oddPathFact } from '../engines/odd-path.ts';
import { findTakenPorts } from '../engines/ports.ts';
import { envFileWarnings, projectName, readEnvFile } from '../env-file.ts';
import { environment } from '../environment.ts';
import { isAlive } from '../pid.ts';
import { openStack, settingsOf } from '../prepare.ts';
import type { Project } from '../project.ts';
import { ownSecrets, settingOfSecret } from '../secrets.ts';
import type { Finding } from './finding.ts';

const diskFloor = 1024 ** 3;

/** What the project needs of its folder and of this machine: readable files, `.env`, free ports, disk. */
export async function projectFindings(project: Project): Promise<Finding[]> {
  const found = await stackFindings(project);
  return [
    ...accessFindings(project),
    ...pathFindings(project),
    ...found,
    ...stateFindings(project),
    diskFinding(project),
  ];
}

/** Whether this user may work here: what `up` would refuse for before it touches anything. */
function accessFindings(project: Project): Finding[] {
  const problem = rootProblem(project.root, environment) ?? leftProblem(project) ?? readOnlyProblem(project);
  if (problem === undefined) return [];
  const text = [problem.fact, ...problem.evidence].join('\n    ');
  return [{ mark: 'bad', text, ...(problem.hint === undefined ? {} : { act: problem.hint }) }];
}

async function stackFindings(project: Project): Promise<Finding[]> {
  try {
    const { stack, warnings } = openStack(project);
    return [
      { mark: 'good', text: stackText(project, stack) },
      ...warnings.map((text): Finding => ({ mark: 'note', text })),
      envFinding(project, stack),
      ...nameFindings(project, stack),
      ...project.envFiles.flatMap(envFileWarnings).map((text): Finding => ({ mark: 'note', text })),
      ...(await portFindings(project, stack)),
    ];
  } catch (error) {
    const failure = explain(error, project.root);
    if (!(error instanceof Failure) && !(failure instanceof SystemFailure)) throw error;
    return [{ mark: 'bad', text: renderFailure('stack', failure).trimEnd().replaceAll('\n', '\n    ') }];
  }
}

/** Of several checkouts with one name, only one has its stack on a container engine. */
function nameFindings(project: Project, stack: Stack): Finding[] {
  if (settingsOf(project)('COMPOSE_PROJECT_NAME') !== undefined) return [];
  const text = `.env has no COMPOSE_PROJECT_NAME: every checkout without one is ${stack.name}`;
  const act = `COMPOSE_PROJECT_NAME=${projectName(project.root)} in .env, before the first start`;
  return [{ mark: 'note', text, act }];
}

function pathFindings(project: Project): Finding[] {
  return engineNames
    .flatMap((engine) => oddPathFact(project, engine) ?? [])
    .map((text) => ({ mark: 'note', text }));
}

function stackText(project: Project, { name, services, inactive }: Stack): string {
  const profiles = [...new Set([...inactive.values()].flat())];
  const more = profiles.length === 0 ? '' : `; not active: ${profiles.join(', ')}`;
  return `${name}: ${project.composeFiles.length} compose files, ${services.size} services${more}`;
}

function envFinding(project: Project, stack: Stack): Finding {
  const found = statSync(project.envFile, { throwIfNoEntry: false });
  if (found === undefined) return { mark: 'note', text: '.env is not there; make up writes it' };
  const values = readEnvFile(project.envFile);
  const settings = [...ownSecrets(stack.secrets, project.stateFolder).keys()].map(settingOfSecret);
  const missing = settings.filter((name) => !values[name] && !environment[name]);
  if (missing.length > 0) return { mark: 'note', text: `.env lacks ${missing.join(', ')}; make up adds it` };
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if ((found.mode & 0o077) === 0) return { mark: 'good', text: `.env (mode ${mode})` };
  return {
    mark: 'bad',
    text: `.env holds secrets and others may read it (mode ${mode})`,
    act: 'chmod 600 .env',
  };
}

async function portFindings(project: Project, stack: Stack): Promise<Finding[]> {
  const taken = await findTakenPorts(stack, () => true);
  const ours = new Set(
    (readState(foldersOf(project).stateFile)?.running ?? []).map(({ service }) => service),
  );
  const engine = recordedEngine(project);
  return [...stack.services.values()].flatMap(({ name, ports }) =>
    ports.map(({ published, setting }): Finding => {
      const text = `port ${published} (${name})`;
      const holder = taken.find(({ port }) => port.published === published);
      if (holder === undefined) return { mark: 'good', text: `${text}: free` };
      if (ours.has(name)) return { mark: 'good', text: `${text}: ours` };
      if (engine === 'docker' || engine === 'podman')
        return { mark: 'note', text: `${text}: ${holder.reason}; ${engine} runs the stack` };
      return {
        mark: 'bad',
        text: `${text}: ${holder.reason}`,
        ...(setting === undefined ? {} : { act: `free it, or set ${setting} in .env` }),
      };
    }),
  );
}

function stateFindings(project: Project): Finding[] {
  const state = readState(foldersOf(project).stateFile);
  if (state === undefined) return [{ mark: 'good', text: 'the embedded engine is not running' }];
  if (isAlive(state.supervisor)) {
    return [
      { mark: 'good', text: `the embedded engine is running (supervisor: pid ${state.supervisor.pid})` },
    ];
  }
  const left = state.running.filter(({ stamp }) => isAlive(stamp)).map(({ service }) => service);
  const text = `the embedded engine's supervisor died${left.length === 0 ? '' : `; still running: ${left.join(', ')}`}`;
  return [{ mark: 'bad', text, act: 'make up starts it again, make down cleans up; both end what it left' }];
}

function diskFinding(project: Project): Finding {
  const { bavail, bsize } = statfsSync(dirname(project.envFile));
  const free = bavail * bsize;
  const text = `${(free / 1024 ** 3).toFixed(1)} GB free on the project's disk`;
  return free >= diskFloor
    ? { mark: 'good', text }
    : { mark: 'bad', text, act: 'the stack needs about 1 GB' };
}
