import { spawn } from 'node:child_process';
import { environment } from '../environment.ts';
import { systemCode, systemReason } from '../errors.ts';
import { onPath } from '../on-path.ts';
import { type Ask, noAnswer } from './compose-program.ts';
import { trySignal } from './embedded/leftovers.ts';

/** How long an engine may take to answer that is only one of several. */
export const briefly = 2_500;
/** The same for the one that is wanted: on a busy machine it is late, and not gone. */
export const patiently = 15_000;
/** No answer is longer. */
const mostCharacters = 16 * 1024;

/**
 * Asks programs, each in at most `milliseconds`; one that takes longer counts as not there. Not with execa: past its timeout it waits for the program's children to let go of
 * the output, and a `docker` that is a script may have one that never does.
 */
export const askWithin =
  (milliseconds: number): Ask =>
  (program, args) =>
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
        resolve({ ok: false, stdout: '', stderr: `${noAnswer} ${milliseconds / 1000} s`, missing: false });
      }, milliseconds);
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
