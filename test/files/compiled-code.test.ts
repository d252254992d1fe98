import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const builder = join(import.meta.dirname, '../../scripts/build/code-cache.mjs');
const run = promisify(execFile);
/** Answers with what it is called and given, and with whether its functions were compiled before it ran. */
const text = `'use strict';
const answer = () => 'first';
console.log(answer(), process.argv[1] === __filename, process.argv.slice(2).join(), module.exports === exports);
`;
let folder: string;
let program: string;
const build = () =>
  run(process.execPath, [
    '-e',
    `import(${JSON.stringify(builder)}).then((built) => built.writeCodeCache(process.argv[1], []))`,
    program,
  ]);
const start = async () =>
  (await run(process.execPath, [program.replace('.cjs', '.start.cjs'), 'a', 'b'])).stdout;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep test code-'));
  program = join(folder, 'program.cjs');
  await writeFile(program, text);
});
afterEach(() => rm(folder, { recursive: true }));

test('a program starts from its compiled code as it would by itself', async () => {
  await build();
  expect(await start()).toBe('first true a,b true\n');
});

test('compiled code of another text of the same length is not used', async () => {
  await build();
  await writeFile(program, text.replace('first', 'other'));
  expect(await start()).toBe('other true a,b true\n');
});

test.each(['', 'too short', 'x'.repeat(5000)])(
  'compiled code that is none (%#) is not used',
  async (bytes) => {
    await build();
    const cache = join(folder, 'program.cache');
    const digest = (await readFile(cache)).subarray(0, 32);
    await writeFile(cache, Buffer.concat([digest, Buffer.from(bytes)]));
    expect(await start()).toBe('first true a,b true\n');
    await rm(cache);
    expect(await start()).toBe('first true a,b true\n');
  },
);

test('it is made again for another text, and for the same text it stays', async () => {
  await build();
  const cache = join(folder, 'program.cache');
  const first = await stat(cache);
  await build();
  expect((await stat(cache)).mtimeMs).toBe(first.mtimeMs);
  await writeFile(program, text.replace('first', 'other'));
  await build();
  expect((await stat(cache)).mtimeMs).not.toBe(first.mtimeMs);
});
