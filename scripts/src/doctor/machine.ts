import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nodeProblem } from '../../build/machine.mjs';
import type { Candidate } from '../choose.ts';
import { environment } from '../environment.ts';
import { onPath } from '../on-path.ts';
import type { Finding } from './finding.ts';

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
  const text = `Node ${process.versions.node}`;
  const problem = nodeProblem(process.versions.node);
  if (problem === undefined) return { mark: 'good', text };
  return { mark: 'bad', text: problem.fact, ...(problem.hint === undefined ? {} : { act: problem.hint }) };
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
