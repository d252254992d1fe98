import { execFile } from 'node:child_process';
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Failure, renderFailure } from '@lockstep/foundation';
import { askEngines, recordedEngine } from '../choose.ts';
import type { Stack } from '../compose/stack.ts';
import { foldersOf } from '../engines/embedded/folders.ts';
import { findTakenPorts } from '../engines/embedded/ports.ts';
import { readState } from '../engines/embedded/state-file.ts';
import { readEnvFile } from '../env-file.ts';
import { environment } from '../environment.ts';
import { onPath } from '../on-path.ts';
import { isAlive } from '../pid.ts';
import { openStack } from '../prepare.ts';
import type { Project } from '../project.ts';
import { ownSecrets, settingOfSecret } from '../secrets.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/** One thing that was looked at. `bad` needs an act; `note` is good to know. */
interface Finding {
  readonly mark: 'good' | 'bad' | 'note';
  readonly text: string;
  readonly act?: string;
}

const nodeFloor = [20, 19] as const;
const diskFloor = 1024 ** 3;

/** Looks at all the stack needs from this machine; returns 0 when some engine can run it, else 3. */
export async function doctor(options: GlobalOptions, terminal: Terminal): Promise<number> {
  const project = projectOf(options);
  const [engines, versions, stack] = await Promise.all([
    engineFindings(),
    programFindings(),
    stackFindings(project),
  ]);
  const sections: [string, Finding[]][] = [
    ['engines', engines.findings],
    ['programs', versions],
    ['project', [...stack, ...stateFindings(project), diskFinding(project)]],
  ];
  for (const [title, findings] of sections) {
    terminal.out(`${title}\n`);
    for (const { mark, text, act } of findings) {
      const sign = { good: '✓', bad: '✗', note: '·' }[mark];
      terminal.out(`  ${sign} ${text}\n`);
      if (act !== undefined) terminal.out(`      ${act}\n`);
    }
  }
  return engines.any ? 0 : 3;
}

async function engineFindings(): Promise<{ findings: Finding[]; any: boolean }> {
  const all = (await askEngines()).map(({ availability }) => availability);
  return {
    any: all.some(({ available }) => available),
    findings: all.map(({ name, available, reason }) => ({
      mark: available ? 'good' : 'note',
      text: `${name}: ${reason}`,
    })),
  };
}

async function programFindings(): Promise<Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > nodeFloor[0] || (major === nodeFloor[0] && minor >= nodeFloor[1]);
  const npm = await promisify(execFile)('npm', ['--version'], { timeout: 10_000 }).catch(() => undefined);
  const path = environment['PATH'];
  const vault = onPath('vault', path) ?? onPath('bao', path);
  const psql = onPath('psql', path);
  return [
    isNew
      ? { mark: 'good', text: `Node ${process.versions.node}` }
      : {
          mark: 'bad',
          text: `Node ${process.versions.node}`,
          act: `install Node ${nodeFloor.join('.')} or newer`,
        },
    npm === undefined
      ? { mark: 'bad', text: 'npm is not on PATH', act: 'install npm' }
      : { mark: 'good', text: `npm ${npm.stdout.trim()}` },
    vault === undefined
      ? { mark: 'note', text: 'no vault or bao on PATH; the embedded engine uses its own development Vault' }
      : { mark: 'good', text: `Vault for the embedded engine: ${vault}` },
    psql === undefined
      ? {
          mark: 'note',
          text: 'psql is not on PATH',
          act: 'for make psql: apt install postgresql-client, brew install libpq',
        }
      : { mark: 'good', text: `psql: ${psql}` },
  ];
}

async function stackFindings(project: Project): Promise<Finding[]> {
  try {
    const { stack } = openStack(project);
    const files = `${project.composeFiles.length} compose files, ${stack.services.size} services`;
    return [
      { mark: 'good', text: files },
      envFinding(project, stack),
      ...(await portFindings(project, stack)),
    ];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ mark: 'bad', text: renderFailure('stack', error).trimEnd().replaceAll('\n', '\n    ') }];
  }
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
