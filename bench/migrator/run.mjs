// Runs a program to its end and measures it.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { measuredEnvironment } from '../stack-copy.mjs';

const lookMilliseconds = 10;

/**
 * Its milliseconds as a whole process, its largest memory in bytes (Linux tells that while it runs), and what it printed. Fails
 * loudly: a bench of errors measures nothing.
 */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let output = '';
    let bytes = 0;
    const child = spawn(program, args, {
      env: measuredEnvironment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    const look = setInterval(async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      bytes = Math.max(bytes, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    }, lookMilliseconds);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject).once('close', (status) => {
      clearInterval(look);
      const milliseconds = performance.now() - startedAt;
      if (status === 0) resolve({ milliseconds, bytes, output });
      else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output.slice(-2000)}`));
    });
  });
}

/** Whether a program is there. */
export const isThere = (program) =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  );
