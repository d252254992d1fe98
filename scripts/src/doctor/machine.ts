import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Candidate } from '../choose.ts';
import { environment } from '../environment.ts';
import { onPath } from '../on-path.ts';
import type { Finding } from './finding.ts';

const nodeFloor = [20, 19] as const;

/** Every engine, and why one cannot be used; under each the other ways that were tried, and its known defects. */
export function engineFindings(candidates: readonly Candidate[]): Finding[] {
  return candidates.flatMap(({ availability: { name, available, reason }, found }) => {
    const tried = (found?.candidates ?? []).filter((one) => !one.isChosen && !reason.includes(one.reason));
    const defects = found !== undefined && 'defects' in found ? found.defects : [];
    return [
      { mark: available ? 'good' : 'note', text: `${name}: ${reason}` },
      ...tried.map(
        ({ what, reason: why }): Finding => ({ mark: 'note', text: `${name}: not ${what}: ${why}` }),
      ),
      ...defects.map(
        ({ fact, act }): Finding => ({ mark: 'note', text: `${name}: known defect: ${fact}`, act }),
      ),
    ];
  });
}

/** The programs the stack calls. */
export async function programFindings(): Promise<Finding[]> {
  const npm = await promisify(execFile)('npm', ['--version'], { timeout: 10_000 }).catch(() => undefined);
  return [
    nodeFinding(),
    npm === undefined
      ? { mark: 'bad', text: 'npm is not on PATH', act: 'install npm' }
      : { mark: 'good', text: `npm ${npm.stdout.trim()}` },
    ...clientFindings(),
  ];
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > nodeFloor[0] || (major === nodeFloor[0] && minor >= nodeFloor[1]);
  const text = `Node ${process.versions.node}`;
  if (isNew) return { mark: 'good', text };
  return { mark: 'bad', text, act: `install Node ${nodeFloor.join('.')} or newer` };
}

function clientFindings(): Finding[] {
  const path = environment['PATH'];
  const vault = onPath('vault', path) ?? onPath('bao', path);
  const psql = onPath('psql', path);
  return [
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
