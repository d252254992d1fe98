import { spawn } from 'node:child_process';
import { environment } from '../environment.ts';
import { systemCode, systemReason } from '../errors.ts';
import { onPath } from '../on-path.ts';
import type { Ask } from './compose-program.ts';
import { trySignal } from './embedded/leftovers.ts';

/** An engine that does not answer in this time counts as not there. */
const askMilliseconds = 2_500;
/** No answer is longer. */
const mostCharacters = 16 * 1024;

/**
 * Asks a program in at most 2.5 seconds. Not with execa: past its timeout it waits for the program's children to let go of
 * the output, and a `docker` that is a script may have one that never does.
 */
export const ask: Ask = (program, args) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] = (said[name] + text).slice(0, mostCharacters);
      });
    }
    const timer = setTimeout(() => {
      if (child.pid !== undefined) trySignal(-child.pid, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ok: false, stdout: '', stderr: `no answer in ${askMilliseconds / 1000} s`, missing: false });
    }, askMilliseconds);
    child.once('error', (error) => {
      clearTimeout(timer);
      const code = systemCode(error);
      // EACCES: a folder on PATH is closed to this user, and no other has the program.
      const missing =
        code === 'ENOENT' || (code === 'EACCES' && onPath(program, environment['PATH']) === undefined);
      resolve({ ok: false, stdout: '', stderr: systemReason(error), missing });
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ ok: status === 0, ...said, missing: false });
    });
  });
