import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Launch } from './launch.ts';

/**
 * Runs a launch in the foreground, with the terminal's input and output, and returns its exit status. A Ctrl-C reaches
 * it from the terminal; a SIGTERM is passed on. Either way it is given the time to end by itself.
 *
 * @param capture returns its stdout instead of passing it on
 * @param quiet passes its stderr on only when it fails
 */
export function runInForeground(
  launch: Launch,
  capture: boolean,
  quiet = false,
): Promise<{ exitStatus: number; stdout: string }> {
  const [program = '', ...args] = launch.argv;
  const fromFiles = Object.fromEntries(
    Object.entries(launch.environmentFiles).map(([name, file]) => [name, readFileSync(file, 'utf8').trim()]),
  );
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: launch.folder,
      env: { ...launch.environment, ...fromFiles },
      stdio: ['inherit', capture ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
      ...launch.user,
    });
    const wait = () => undefined;
    const pass = () => void child.kill('SIGTERM');
    process.on('SIGINT', wait);
    process.on('SIGTERM', pass);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const finish = (settle: () => void) => {
      process.off('SIGINT', wait);
      process.off('SIGTERM', pass);
      settle();
    };
    child.once('error', (error) => finish(() => reject(error)));
    child.once('close', (status, signal) => {
      const exitStatus = status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
      if (exitStatus !== 0) process.stderr.write(stderr);
      finish(() => resolve({ exitStatus, stdout }));
    });
  });
}
