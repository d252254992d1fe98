import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { postgresPackage } from '../src/engines/embedded/postgres-programs.ts';
import { buildStack } from './support/build.ts';
import { StackFolder } from './support/stack-folder.ts';

let stack: StackFolder;
beforeEach(async () => {
  stack = await StackFolder.make();
});
afterEach(() => stack.remove());

/** A user who is in no list: messages name them `#12345`. */
const somebody = 12_345;
const isRoot = process.getuid?.() === 0;

/** Gives the checkout to a user, as if they had cloned it. */
function giveTo(uid: number): void {
  expect(spawnSync('chown', ['-R', `${uid}:${uid}`, dirname(stack.root)]).status).toBe(0);
}

const written = () => ['.env', '.lockstep'].filter((name) => existsSync(join(stack.root, name)));

describe.runIf(isRoot)('a checkout of somebody else', () => {
  it('F8.2 is refused to root before anything is written, and its owner is named with the chown', async () => {
    giveTo(somebody);
    for (const words of [['up'], ['down'], ['reset'], ['watch']]) {
      const { status, stdout, stderr } = await stack.run(words, { SUDO_UID: String(somebody) });
      expect([words, status, stdout]).toEqual([words, 3, '']);
      expect(stderr).toBe(
        `stack: ${stack.root} belongs to #${somebody}, and this is root\n` +
          `  what root writes here, #${somebody} cannot use afterwards; nothing was touched\n` +
          `  after an earlier start by root: sudo chown -R #${somebody}: '${stack.root}'\n` +
          '  to go on as root all the same: ALLOW_ROOT=1\n' +
          '  try: the same without sudo\n',
      );
    }
    expect(written()).toEqual([]);
    expect((await stack.run(['doctor'], { SUDO_UID: String(somebody) })).stdout).toContain(
      'and this is root',
    );
    const allowed = await stack.run(['up'], { SUDO_UID: String(somebody), ALLOW_ROOT: '1' });
    expect(allowed.status, allowed.stderr).toBe(0);
  });

  it('F8.2 with files that root left, tells its owner whose they are and the chown, and then works', async () => {
    giveTo(somebody);
    const user = { uid: somebody, gid: somebody };
    const root = { SUDO_UID: String(somebody), ALLOW_ROOT: '1' };
    expect((await stack.run(['up'], root)).status).toBe(0);
    expect((await stack.run(['down'], root)).status).toBe(0);
    const refused = await stack.run(['up'], {}, user);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(
      /^stack: \d+ files of the stack in .* belong to root\n {2}\.env, \.lockstep(, \S+)*( and \d+ more)?\n {2}they are left from a start by root; this is #12345\n {2}try: sudo chown -R #12345: '.*\.env' '.*\.lockstep'\n$/,
    );
    expect((await stack.run(['status'], {}, user)).stderr).toMatch(
      /^stack: .*\.env cannot be read: permission denied\n {2}.*\.env belongs to root \(mode 0600\), and this is #12345\n {2}try: sudo chown -R #12345: '.*\.env'\n$/,
    );
    giveTo(somebody);
    const up = await stack.run(['up'], {}, user);
    expect(up.status, up.stderr).toBe(0);
    expect((await stack.run(['down'], {}, user)).status).toBe(0);
  });

  it('F8.2 is a line and no stack trace for who may not write to it', async () => {
    chmodSync(stack.root, 0o755);
    const { status, stderr } = await stack.run(['up'], {}, { uid: somebody });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^stack: cannot write to .*: permission denied\n {2}.* belongs to root \(mode 0755\), and this is #12345\n {2}try: sudo chown -R #12345: '.*'\n$/,
    );
  });
});

it('F8.5 a Node that is too old gets a line from every program, before it meets what it cannot read', async () => {
  const older = join(stack.root, 'older.cjs');
  writeFileSync(
    older,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });\n",
  );
  const line = 'Node.js 20.19 or newer is needed, and this is 18.20.8';
  const up = await stack.run(['up'], { NODE_OPTIONS: `--require "${older}"` });
  expect(up).toMatchObject({ status: 3, stdout: '' });
  expect(up.stderr).toBe(
    `stack: ${line}\n  ${process.execPath}\n  try: install a newer one: https://nodejs.org, nvm install --lts\n`,
  );
  expect(written()).toEqual([]);
  const scripts = fileURLToPath(new URL('../build/', import.meta.url));
  for (const [file, name] of [
    ['check-machine.mjs', 'make'],
    ['start.cjs', 'start.cjs'],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, ['--require', older, join(scripts, file)], {
      encoding: 'utf8',
    });
    expect([file, status, stderr.split('\n')[0]]).toEqual([file, 3, `${name}: ${line}`]);
  }
});

describe.runIf(isRoot && process.platform === 'linux')('a disk', () => {
  const mount = (...words: string[]) => {
    const { status, stderr } = spawnSync('mount', words, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  };

  it('F8.5 that is read-only is refused in a line by up, told by doctor, and looked at by status', async () => {
    mount('--bind', stack.root, stack.root);
    try {
      mount('-o', 'remount,ro,bind', stack.root);
      const up = await stack.run(['up']);
      expect(up).toEqual({
        status: 3,
        stdout: '',
        stderr: `stack: cannot write to ${stack.root}: the file system is read-only\n  try: clone to a disk that can be written to, or mount it so\n`,
      });
      expect((await stack.run(['doctor'])).stdout).toContain(
        `✗ cannot write to ${stack.root}: the file system is read-only\n`,
      );
      expect((await stack.run(['status'])).status).toBe(0);
    } finally {
      spawnSync('umount', [stack.root]);
    }
  });

  it.each([
    [
      'nothing is free',
      '64k',
      /^stack: cannot write (to )?\S.*: no space left on the device\n {2}0 MB free of 0 MB on the disk of .*\n {2}try: make room there; df -h .*\n$/,
    ],
    [
      'a database does not fit',
      '8m',
      /^ {2}postgres: failed: no space left for a database: \d MB free on the disk of .*, 60 MB needed$/m,
    ],
  ])('F8.5 where %s is told in a line', async (_, size, message) => {
    const state = join(stack.root, '.lockstep');
    mkdirSync(state);
    mount('-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', state);
    try {
      if (size === '64k') fill(state);
      const { status, stderr } = await stack.run(['up']);
      expect(status).toBe(size === '64k' ? 3 : 1);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/^\s+at /m);
    } finally {
      await stack.run(['down']);
      spawnSync('umount', [state]);
    }
  });
});

/** The stack's program and Postgres', in a folder of their own; returns the path of the first. */
async function copyPrograms(folder: string): Promise<string> {
  const built = dirname(await buildStack());
  const found = createRequire(import.meta.url).resolve(postgresPackage());
  const name = join('node_modules', postgresPackage());
  cpSync(built, join(folder, 'dist'), { recursive: true });
  cpSync(dirname(dirname(found)), join(folder, name), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'dist', 'stack.js');
}

/** Writes until there is no room for one byte more. */
function fill(folder: string): void {
  for (let number = 0; ; number++) {
    try {
      writeFileSync(join(folder, `fill-${number}`), Buffer.alloc(4096));
    } catch {
      return;
    }
  }
}

describe('a path', () => {
  it('F8.5 with characters that engines take for their own gets a line for each, in doctor too', async () => {
    const odd = join(dirname(stack.root), 'it "costs" $1: `x`');
    renameSync(stack.root, odd);
    // Where the command is run.
    mkdirSync(stack.root);
    try {
      const inIt = (words: string[]) => stack.run(['--project-directory', odd, ...words]);
      const { stdout } = await inIt(['doctor']);
      expect(stdout).toContain('docker cannot mount from a path with : in it\n');
      expect(stdout).toContain('podman cannot mount from a path with : " in it\n');
      // With the programs in it, too: initdb calls postgres by a shell line.
      const program = await copyPrograms(odd);
      const up = await stack.run(['--project-directory', odd, 'up'], {}, {}, program);
      expect(up.stderr).toContain('initdb cannot be called by a path with');
      expect(up.status, up.stderr).toBe(0);
      expect((await stack.run(['--project-directory', odd, 'down'], {}, {}, program)).status).toBe(0);
    } finally {
      rmdirSync(stack.root);
      renameSync(odd, stack.root);
    }
  });
});
