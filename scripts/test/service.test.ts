import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { copyProject, type ProjectCopy, project } from '../../test/support/project-copy.ts';
import { addService } from '../src/commands/service.ts';
import { openStack } from '../src/prepare.ts';
import { findProject } from '../src/project.ts';
import { planAddition } from '../src/service/addition.ts';
import { readServiceName } from '../src/service/name.ts';
import { writeAddition } from '../src/service/write-addition.ts';
import { buildStack } from './support/build.ts';

let program = '';
let clean: ProjectCopy;
let copy: ProjectCopy;
/** What a run that nothing interrupts makes of the project. */
let wanted: Map<string, string>;
beforeAll(async () => {
  program = await buildStack();
  clean = await copyProject();
  // What adding a service never looks at; most of the files.
  const rest = [
    'docs',
    'bench',
    'scripts',
    'migrations',
    'foundation',
    'chassis/src',
    'vault/src',
    'vault/test',
  ];
  await Promise.all(rest.map((folder) => rm(clean.path(folder), { recursive: true })));
  copy = await copyProject(clean.root);
  wanted = await whole();
  await copy.remove();
});
afterAll(() => clean.remove());
beforeEach(async () => {
  copy = await copyProject(clean.root);
});
afterEach(() => copy.remove());

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [program, 'service', ...args], {
    cwd: copy.root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...said };
}

const run = (...args: string[]) => ended(start(...args));

/** Kills it when it says for the `turn`th time that it wrote something. */
async function killAt(turn: number): Promise<void> {
  const child = start('zebra-api');
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
    if (said.split('\n').length > turn) child.kill('SIGKILL');
  });
  await ended(child);
}

/** Runs to the end, and returns what it made of the copy. */
async function whole(): Promise<Map<string, string>> {
  const { status, stderr } = await run('zebra-api');
  expect(status, stderr).toBe(0);
  return await copy.files();
}

describe('adding a service', () => {
  test('writes what it says, says the same beforehand, and a second run changes nothing', async () => {
    const before = await copy.files();
    const dry = await run('--dry-run', 'zebra-api');
    expect(dry.status, dry.stderr).toBe(0);
    expect([await copy.files(), existsSync(copy.path('.lockstep'))]).toEqual([before, false]);

    const { status, stdout, stderr } = await run('zebra-api');
    expect([status, stdout.split('\n')]).toEqual([
      0,
      [
        'zebra-api is part of the stack: 14 files in zebra-api/, in compose.yaml as services-api',
        'database zebra, roles zebra_migrator and zebra_app',
        expect.stringMatching(/^port \d{5}; another one by ZEBRA_API_PORT in \.env$/),
        'next: make up',
        '',
      ],
    ]);
    const after = await copy.files();
    const written = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
    const announced = [...dry.stdout.matchAll(/^(?:new|changed) (\S+)/gm)].map(([, path]) => path);
    expect(announced.toSorted()).toEqual(written.toSorted());
    const folderOf = (path: string) => path.replace(/^zebra-api\/.*/, 'zebra-api/');
    expect(new Set([...stderr.matchAll(/^wrote (.+)$/gm)].map(([, path]) => path))).toEqual(
      new Set(written.map(folderOf)),
    );

    expect(await run('zebra-api')).toMatchObject({
      status: 0,
      stdout: 'zebra-api is part of the stack; there is nothing to write\n',
      stderr: '',
    });
    expect(await copy.files()).toEqual(after);
  });

  test('leaves what was changed or deleted in its folder since as it is', async () => {
    await whole();
    await rm(copy.path('zebra-api/test'), { recursive: true });
    await writeFile(copy.path('zebra-api/src/item.ts'), '// mine\n');
    const before = await copy.files();
    expect((await run('zebra-api')).stdout).toContain('nothing to write');
    expect(await copy.files()).toEqual(before);
  });

  test('of several, one after the other and two at once, gives each a port and a database of its own', async () => {
    expect((await run('zebra-one')).status).toBe(0);
    const both = await Promise.all([run('zebra-two-api'), run('zebra-three')]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    const { stack } = openStack(findProject(copy.root));
    const ports = [...stack.services.values()].flatMap((service) =>
      service.ports.map((port) => port.published),
    );
    expect(new Set(ports).size).toBe(ports.length);
    const told = stack.services.get('vault-bootstrap')?.environment.get('BOOTSTRAP_SERVICES');
    expect(told?.split(' ')).toEqual(
      expect.arrayContaining(['zebra-one:zebra_one', 'zebra-two-api:zebra_two', 'zebra-three:zebra_three']),
    );
  });

  test('makes files that the formatter and the linter leave as they are, however long its name', async () => {
    const names = ['zebra-api', 'z9', 'a-service-with-as-long-a-name-as-may-be'];
    for (const name of names) expect((await run(name)).stderr).toContain('wrote compose.override.yaml\n');
    const biome = join(project, 'node_modules/.bin/biome');
    await promisify(execFile)(biome, ['check', ...names, 'package.json'], { cwd: copy.root });
  });

  test('makes files that the compiler accepts', async () => {
    expect((await run('class')).status).toBe(0);
    symlinkSync(join(project, 'node_modules'), copy.path('node_modules'));
    const tsc = join(project, 'node_modules/.bin/tsc');
    const narrow = { extends: './tsconfig.json', include: ['class/src', 'class/test'] };
    await writeFile(copy.path('tsconfig.class.json'), JSON.stringify(narrow));
    await promisify(execFile)(tsc, ['--noEmit', '--project', 'tsconfig.class.json'], { cwd: copy.root });
  });
});

describe('interrupted', () => {
  test.each([1, 5])(
    'by kill -9 at write %i, it leaves whole files, and a second run the rest',
    async (turn) => {
      const before = await copy.files();
      await killAt(turn);
      for (const [path, text] of await copy.files()) {
        // What is being written lies beside its place.
        if (!/\.new(\/|$)/.test(path)) expect([before.get(path), wanted.get(path)], path).toContain(text);
      }
      expect(await whole()).toEqual(wanted);
    },
  );

  test('by Ctrl-C, it ends with 130 and says that the same command writes the rest', async () => {
    const stop = new AbortController();
    const terminal = { out: () => {}, err: () => stop.abort('SIGINT'), signal: stop.signal };
    const options = { engine: 'auto', projectDirectory: copy.root, dryRun: false } as const;
    await expect(addService('zebra-api', options, terminal)).rejects.toMatchObject({
      message: 'interrupted',
      evidence: ['what was written is whole; the same command writes the rest'],
      exitStatus: 130,
    });
    expect(existsSync(copy.path('zebra-api/src/server.ts'))).toBe(true);
    expect(await copy.files()).not.toEqual(wanted);
    expect(await whole()).toEqual(wanted);
  });

  test('after any of its writes, it leaves a stack that can be read, and a second run writes the rest', async () => {
    const service = readServiceName('zebra-api');
    const before = await copy.files();
    const paths = [...wanted.keys()].filter((path) => wanted.get(path) !== before.get(path));
    const undo = async () => {
      await rm(copy.path('zebra-api'), { recursive: true, force: true });
      for (const path of paths.filter((one) => !one.startsWith('zebra-api/'))) {
        const text = before.get(path);
        if (text === undefined) await rm(copy.path(path), { force: true });
        else await writeFile(copy.path(path), text);
      }
    };
    const opened = () => openStack(findProject(copy.root));
    for (let writes = 0; writes <= 7; writes++) {
      await undo();
      const stop = new AbortController();
      let done = 0;
      if (writes === 0) stop.abort();
      const written = () => {
        done += 1;
        if (done === writes) stop.abort();
      };
      const addition = planAddition(opened(), service);
      const attempt = writeAddition(copy.root, service.name, addition, { signal: stop.signal, written });
      await (writes === 7 ? attempt : expect(attempt).rejects.toThrow(/abort/));
      expect(opened().warnings).toEqual([]);
      await writeAddition(copy.root, service.name, planAddition(opened(), service), {
        signal: new AbortController().signal,
        written: () => {},
      });
      expect(await copy.files(), `after ${writes} writes`).toEqual(wanted);
    }
  });
});

describe('a service is refused', () => {
  test('where a folder of that name is something else, which stays as it is', async () => {
    mkdirSync(copy.path('zebra-api'));
    writeFileSync(copy.path('zebra-api/notes.txt'), 'mine');
    const before = await copy.files();
    expect(await run('zebra-api')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: [
        'stack: zebra-api is there already and is not a service of this stack',
        '  found: a folder with 1 entry',
        '  expected of a service: a package.json named @lockstep/zebra-api, and src/server.ts',
        '  try: choose another name, or move it away',
        '',
      ].join('\n'),
    });
    expect(await copy.files()).toEqual(before);
  });

  test.each([
    ['content', ['content cannot be added', 'content-api has the database content']],
    [
      'Billing',
      [
        '"Billing" cannot be the name of a service',
        'expected lower-case letters',
        'try: make service NAME=billing',
      ],
    ],
    ['', ['a new service needs a name', 'try: make service NAME=billing-api']],
  ])('named %j, with the rule, and nothing is written', async (name, lines) => {
    const before = await copy.files();
    const { status, stdout, stderr } = await run('--', name);
    expect([status, stdout]).toEqual([2, '']);
    for (const line of lines) expect(stderr).toContain(line);
    expect(await copy.files()).toEqual(before);
  });

  test('where compose.yaml has a service of that name that is none of the project', async () => {
    const text = await readFile(copy.path('compose.yaml'), 'utf8');
    await writeFile(
      copy.path('compose.yaml'),
      text.replace('\nservices:\n', '\nservices:\n  zebra-api: { image: theirs }\n\n'),
    );
    const { status, stderr } = await run('zebra-api');
    expect(status).toBe(2);
    expect(stderr).toContain('compose.yaml has a service zebra-api, and there is no folder zebra-api');
  });

  test('where a file that it must add to cannot be added to', async () => {
    const text = await readFile(copy.path('compose.yaml'), 'utf8');
    const volumes = /^volumes:\n( {2}.*\n)+/m;
    await writeFile(
      copy.path('compose.yaml'),
      text.replace(
        volumes,
        (found) =>
          `volumes: { ${found
            .split('\n')
            .slice(1, -1)
            .map((line) => line.trim())
            .join(', ')} }\n`,
      ),
    );
    const before = await copy.files();
    const { status, stderr } = await run('zebra-api');
    expect([status, stderr.split('\n')[0]]).toEqual([
      2,
      'stack: compose.yaml is written in a way that nothing can be added to',
    ]);
    expect(await copy.files()).toEqual(before);
  });
});

describe('what npm installed', () => {
  const record = 'node_modules/.package-lock.json';
  const make = () =>
    promisify(execFile)('make', ['--question', record], { cwd: copy.root }).then(
      () => 'in step',
      () => 'to be installed',
    );

  beforeEach(() => {
    mkdirSync(copy.path('node_modules/@lockstep'), { recursive: true });
    cpSync(join(project, record), copy.path(record));
  });

  test('stays in step, so that no network is needed to start the new service', async () => {
    expect(await make()).toBe('in step');
    await whole();
    expect(await make()).toBe('in step');
    expect(readlinkSync(copy.path('node_modules/@lockstep/zebra-api'))).toBe('../../zebra-api');
    const { packages } = JSON.parse(await readFile(copy.path(record), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    expect(packages['node_modules/@lockstep/zebra-api']).toEqual({ resolved: 'zebra-api', link: true });
    expect(packages['']).toBeUndefined();
  });

  test('is installed anew where it was out of step before', async () => {
    await utimes(copy.path(record), 0, 0);
    await whole();
    expect(await make()).toBe('to be installed');
  });

  test('is left alone where it is a link to that of another project', async () => {
    await rm(copy.path('node_modules'), { recursive: true });
    const theirs = copy.path('theirs');
    mkdirSync(join(theirs, '@lockstep'), { recursive: true });
    cpSync(join(project, record), join(theirs, '.package-lock.json'));
    symlinkSync(theirs, copy.path('node_modules'));
    await whole();
    expect(existsSync(join(theirs, '@lockstep/zebra-api'))).toBe(false);
  });
});
