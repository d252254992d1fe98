// Writes V8's compiled code of a program beside it, and the file that starts it from there (start.cjs).
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const { wrap } = createRequire(import.meta.url)('./compile.cjs');
const here = dirname(fileURLToPath(import.meta.url));
/** Far more than any of the runs takes. */
const longestRun = 30_000;

/**
 * Runs the program once and keeps what V8 compiled for it. `args` must lead it through what every start does, and to an end
 * by itself; how it ends does not matter.
 *
 * @param program path of `<name>.cjs`
 */
export async function writeCodeCache(program, args) {
  const cache = program.replace(/\.cjs$/, '.cache');
  await copyFile(join(here, 'start.cjs'), program.replace(/\.cjs$/, '.start.cjs'));
  // V8 writes other bytes each time: a program that is still the same keeps what it has, and so does its image.
  if (await fits(cache, program)) return;
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-build-'));
  try {
    await writeFile(join(folder, '1_first.up.sql'), 'SELECT 1; -- a comment\n');
    await new Promise((resolve, reject) => {
      const words = [join(here, 'compile.cjs'), program, cache, ...args];
      const child = spawn(process.execPath, words, {
        cwd: folder,
        env: { PATH: process.env.PATH },
        stdio: 'ignore',
        timeout: longestRun,
      });
      child.once('error', reject).once('close', resolve);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether `cache` is of this Node and of this very program. */
async function fits(cache, program) {
  try {
    const [kept, bytes] = await Promise.all([readFile(cache), readFile(program)]);
    if (!createHash('sha256').update(bytes).digest().equals(kept.subarray(0, 32))) return false;
    const script = new Script(wrap(bytes), { filename: program, cachedData: kept.subarray(32) });
    return script.cachedDataRejected === false;
  } catch {
    return false;
  }
}
