// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StackFileError, UsageError } from '../errors.ts';
import { settingsOf } from '../prepare.ts';
import { findProject } from '../project.ts';
import { type ReadStack, readStack, readStackFiles } from './read-stack.ts';

const ofCompose = ['COMPOSE_FILE', 'COMPOSE_PATH_SEPARATOR', 'COMPOSE_ENV_FILES', 'COMPOSE_DISABLE_ENV_FILE'];
let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lockstep-files-')));
});
afterEach(() => {
  for (const name of ofCompose) delete process.env[name];
  rmSync(root, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

function read(files: Readonly<Record<string, string>>): ReadStack {
  write(files);
  const project = findProject(root);
  return readStack(readStackFiles(project), settingsOf(project));
}

/** What is wrong with a project, line by line. */
function mistakes(files: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(files);
  } catch (error) {
    if (error instanceof StackFileError) return error.evidence;
    throw error;
  }
  return [];
}

const command = ({ stack }: ReadStack, service = 'a') => stack.services.get(service)?.command;
const variables = ({ stack }: ReadStack, service = 'a') =>
  Object.fromEntries(stack.services.get(service)?.environment ?? []);
const a = (more = '') => `services:\n  a:\n    image: x\n${more}`;

describe('which files are read', () => {
  it('F13.3 a second document of a file is laid upon the first', () => {
    expect(command(read({ 'compose.yaml': `${a()}---\nservices: { a: { command: second } }\n` }))).toEqual([
      'second',
    ]);
  });

  it('F13.3 a document that is empty is refused, with its place', () => {
    expect(mistakes({ 'compose.yaml': `${a()}---\n# nothing\n` })).toEqual([
      expect.stringMatching(/^compose\.yaml:[4-6]:\d+ {2}a document of the file is empty$/),
    ]);
  });

  it.each([
    'compose.override.yml',
    'compose.override.yaml',
    'docker-compose.override.yml',
    'docker-compose.override.yaml',
  ])('F13.3 %s is laid upon the file', (name) => {
    expect(command(read({ 'compose.yaml': a(), [name]: 'services: { a: { command: over } }' }))).toEqual([
      'over',
    ]);
  });

  it.each(['compose.yml', 'docker-compose.yml', 'docker-compose.yaml'])(
    'F13.3 %s is a project’s file too',
    (name) => {
      expect(command(read({ [name]: a('    command: one\n') }))).toEqual(['one']);
    },
  );

  it('F13.3 of several names Compose’s first is read, and the others are named', () => {
    const found = read({
      'compose.yml': a('    command: yml\n'),
      'compose.yaml': a(),
      'compose.override.yaml': 'services: { a: { command: yaml } }',
      'compose.override.yml': 'services: { a: { command: over-yml } }',
    });
    expect(command(found)).toEqual(['over-yml']);
    expect(found.warnings).toEqual([
      'compose.yml:1:1  is not read, for another compose file is there',
      'compose.override.yaml:1:1  is not read, for another compose file is there',
    ]);
  });

  it('F13.3 COMPOSE_FILE in .env names the files, and their folder is what paths count from', () => {
    const found = read({
      '.env':
        'COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=${DIR:-deploy}/one.yaml;two.yaml\nV=root\nCOMPOSE_PROJECT_NAME=n\n',
      'deploy/.env': 'V=deploy\nW=deploy\n',
      'deploy/one.yaml': a('    volumes: ["./data:/data"]\n    environment: { V: "${V}", W: "${W}" }\n'),
      'deploy/data/.keep': '',
      'two.yaml': 'services: { a: { command: two } }',
      'compose.yaml': 'services: { other: { image: y } }',
    });
    expect([...found.stack.services.keys()]).toEqual(['a']);
    expect(command(found)).toEqual(['two']);
    expect(found.stack.services.get('a')?.mounts).toMatchObject([{ source: join(root, 'deploy/data') }]);
    expect(variables(found)).toEqual({ V: 'root', W: 'deploy' });
  });

  it('F13.3 COMPOSE_FILE in the environment wins over .env', () => {
    process.env['COMPOSE_FILE'] = join(root, 'b.yaml');
    expect(
      command(read({ '.env': 'COMPOSE_FILE=a.yaml\n', 'a.yaml': a(), 'b.yaml': a('    command: b\n') })),
    ).toEqual(['b']);
  });

  it('F13.3 COMPOSE_FILE in the environment is enough, and a .env on the way up is no project', () => {
    process.env['COMPOSE_ENV_FILES'] = join(root, '.env');
    write({ 'compose.yaml': a(), 'sub/.env': 'A=1\n', '.env': '' });
    expect(findProject(join(root, 'sub')).root).toBe(root);
    delete process.env['COMPOSE_ENV_FILES'];
    write({ 'lone/other.yaml': a() });
    rmSync(join(root, 'compose.yaml'));
    process.env['COMPOSE_FILE'] = 'other.yaml';
    const { root: lone, composeFiles } = findProject(join(root, 'lone'));
    expect({ lone, composeFiles }).toEqual({
      lone: join(root, 'lone'),
      composeFiles: [join(root, 'lone/other.yaml')],
    });
  });

  it.each(['none.yaml', '', 'compose.yaml:'])('F13.3 COMPOSE_FILE=%s is refused by name', (value) => {
    write({ '.env': `COMPOSE_FILE=${value}\n`, 'compose.yaml': a() });
    expect(() => findProject(root)).toThrow(/^COMPOSE_FILE names ".*", and there is no such file$/);
  });

  it('F13.3 COMPOSE_ENV_FILES names files of settings, a later one winning', () => {
    process.env['COMPOSE_ENV_FILES'] = `${join(root, '.env')},${join(root, 'b.env')}`;
    const found = read({
      'compose.yaml': a('    environment: { V: "${V}", W: "${W}" }\n'),
      '.env': 'V=dot\nCOMPOSE_PROJECT_NAME=n\n',
      'b.env': 'W=${V}-b\nV=b\n',
    });
    expect(variables(found)).toEqual({ V: 'b', W: 'dot-b' });
  });

  it('F13.3 what would pass over .env and its secrets is refused by name', () => {
    write({ 'compose.yaml': a() });
    process.env['COMPOSE_ENV_FILES'] = 'b.env';
    expect(() => findProject(root)).toThrow('COMPOSE_ENV_FILES leaves out .env');
    delete process.env['COMPOSE_ENV_FILES'];
    process.env['COMPOSE_DISABLE_ENV_FILE'] = '1';
    expect(() => findProject(root)).toThrow(UsageError);
  });

  it('F13.3 COMPOSE_PROJECT_NAME names the stack, else the file does, else the folder', () => {
    expect(
      read({ 'compose.yaml': `name: In File\n${a()}`, '.env': 'COMPOSE_PROJECT_NAME=set\n' }).stack.name,
    ).toBe('set');
    expect(read({ '.env': '' }).stack.name).toBe('infile');
    expect(read({ 'compose.yaml': a() }).stack.name).toMatch(/^lockstep-files-/);
    expect(mistakes({ '.env': 'COMPOSE_PROJECT_NAME=Not Good\n' })).toEqual([
      'compose.yaml:1:1  name: expected lowercase letters, digits, - and _, beginning with a letter or digit, got "Not Good" from COMPOSE_PROJECT_NAME',
    ]);
  });
});

describe('what a service does not say itself', () => {
  it('F13.4 a short depends_on in an override says all of its long form', () => {
    const long =
      '    depends_on: { b: { condition: service_healthy, required: false } }\n  b: { image: x }\n';
    const { stack } = read({
      'compose.yaml': a(long),
      'compose.override.yaml': 'services: { a: { depends_on: [b] } }',
    });
    expect(stack.services.get('a')?.dependsOn).toMatchObject([
      { condition: 'service_started', required: true },
    ]);
  });

  it.each(['network_mode: "service:b"', 'ipc: "service:b"', 'pid: "service:b"', 'links: [b]'])(
    'F13.4 %s is a dependency',
    (line) => {
      const { stack } = read({ 'compose.yaml': a(`    ${line}\n  b: { image: x }\n`) });
      expect(stack.services.get('a')?.dependsOn).toMatchObject([
        { service: 'b', condition: 'service_started' },
      ]);
      expect(mistakes({ 'compose.yaml': a(`    ${line}\n`) })).toEqual([
        expect.stringMatching(/^compose\.yaml:4:\d+ {2}a: depends_on: no service b/),
      ]);
    },
  );

  it('F13.4 what Compose refuses is refused, with its place', () => {
    const services = [
      'services:',
      '  none: {}',
      '  empty: { image: "" }',
      '  number: { image: 5 }',
      '  host: { image: x, ports: ["localhost:80:80"] }',
      '  open: { image: x, depends_on: { host: {} } }',
      '  both: { image: x, network_mode: host, networks: [default] }',
      '  words: { image: x, command: [1, true] }',
    ];
    expect(mistakes({ 'compose.yaml': `${services.join('\n')}\n` })).toEqual([
      'compose.yaml:2:3  none: expected an image or a build',
      'compose.yaml:3:3  empty: expected an image or a build',
      'compose.yaml:4:3  number: expected an image or a build',
      'compose.yaml:4:20  image: expected a string, got 5; put it in quotes',
      'compose.yaml:5:29  ports: expected an IP address to publish on, got "localhost"',
      'compose.yaml:6:35  depends_on: host: expected a map with a condition',
      'compose.yaml:7:21  both: network_mode and networks exclude each other',
      'compose.yaml:8:32  command: expected a list of strings, got 1; put it in quotes',
      'compose.yaml:8:35  command: expected a list of strings, got true; put it in quotes',
    ]);
    expect(mistakes({ 'compose.yaml': a('    environment: { 1: x, ~: y }\n') })).toEqual([
      'compose.yaml:4:20  expected a string as a key, got 1; put it in quotes',
      'compose.yaml:4:26  expected a string as a key, got ~; put it in quotes',
    ]);
  });

  it('F13.4 a service that takes no part may lack what it would need', () => {
    const later = '  later: { profiles: [p], env_file: none.env }\n';
    expect(mistakes({ 'compose.yaml': a(later) })).toEqual([]);
  });
});

describe('env_file', () => {
  it('F13.5 gives variables, under those of environment, and is filled in from the settings first', () => {
    const found = read({
      '.env': 'P=project\nCOMPOSE_PROJECT_NAME=n\n',
      'compose.yaml': a(
        '    environment: { OWN: own, GONE: }\n    env_file: [one.env, { path: none.env, required: false }, two.env]\n',
      ),
      'one.env': 'A=1\nP=file\nQ=$P-$OWN\nGONE=x\nOWN=file\n',
      'two.env': 'A=2\nB=$A\nC="$$x"\n',
    });
    expect(variables(found)).toEqual({ A: '2', B: '1', C: '$x', OWN: 'own', P: 'file', Q: 'project-own' });
    expect(found.stack.files).toEqual(expect.arrayContaining([join(root, 'one.env'), join(root, 'two.env')]));
  });

  it('F13.5 is refused, with its place, when it is not there or Compose could not read it', () => {
    const files = { 'compose.yaml': a('    env_file: [none.env, bad.env]\n'), 'bad.env': 'A=1\nB="\n' };
    expect(mistakes(files)).toEqual([
      'bad.env:2:3  the quote " is not closed',
      'compose.yaml:4:16  env_file: no such file: none.env',
    ]);
  });
});

describe('extends', () => {
  it('F13.5 lays a service upon another, of this file or of one elsewhere, whose paths count from there', () => {
    const found = read({
      'compose.yaml':
        'services:\n  a: { extends: { file: sub/base.yaml, service: base }, environment: { A: own } }\n  b: { extends: a, command: b }\n',
      'sub/base.yaml':
        'services:\n  base:\n    extends: deep\n    environment: [A=base, B=base]\n    volumes: [./data:/data]\n    env_file: base.env\n  deep: { image: x, command: deep, restart: always }\n',
      'sub/base.env': 'C=file\n',
      'sub/data/.keep': '',
    });
    expect(variables(found)).toEqual({ A: 'own', B: 'base', C: 'file' });
    expect(command(found)).toEqual(['deep']);
    expect(command(found, 'b')).toEqual(['b']);
    expect(found.stack.services.get('b')).toMatchObject({
      restart: { policy: 'always' },
      mounts: [{ source: join(root, 'sub/data') }],
    });
    expect(found.stack.files).toContain(join(root, 'sub/base.yaml'));
  });

  it('F13.5 is refused, with its place, when it leads nowhere, elsewhere or round in a circle', () => {
    const services = [
      'services:',
      '  a: { image: x, extends: none }',
      '  b: { image: x, extends: { file: none.yaml, service: a } }',
      '  c: { image: x, extends: d }',
      '  d: { image: x, extends: c }',
      '  e: { image: x, extends: { service: a, file: "https://example.com/c.yaml" } }',
      '  f: { image: x, extends: { file: compose.yaml } }',
    ];
    expect(mistakes({ 'compose.yaml': `${services.join('\n')}\n` })).toEqual([
      'compose.yaml:2:18  a: extends: no service none',
      'compose.yaml:3:18  b: extends: no such file: none.yaml',
      'compose.yaml:4:18  c: extends goes round in a circle',
      'compose.yaml:5:18  d: extends goes round in a circle',
      'compose.yaml:6:18  e: extends: https://example.com/c.yaml: only files here are read',
      'compose.yaml:7:18  f: extends: expected a service, or a map with service and file',
    ]);
  });
});

describe('include', () => {
  it('F13.5 takes another project in, with paths and settings of its own', () => {
    const found = read({
      '.env': 'V=main\nCOMPOSE_PROJECT_NAME=n\n',
      'compose.yaml': `include:\n  - sub/c.yaml\n  - { path: [e.yaml, over.yaml], project_directory: other, env_file: e.env }\n${a()}`,
      'compose.override.yaml': 'services: { b: { command: over } }',
      'sub/c.yaml':
        'services:\n  b:\n    image: x\n    volumes: [./data:/data]\n    environment: { V: "${V}", W: "${W}", M: "$$x" }\nvolumes: { kept: }\n',
      'sub/.env': 'V=sub\nW=sub\n',
      'sub/data/.keep': '',
      'other/data/.keep': '',
      'e.yaml': 'services: { e: { image: x, volumes: ["./data:/data"], environment: { E: "${E}" } } }',
      'over.yaml': 'services: { e: { command: e } }',
      'e.env': 'E=e\n',
    });
    expect([...found.stack.services.keys()].toSorted()).toEqual(['a', 'b', 'e']);
    expect(variables(found, 'b')).toEqual({ V: 'main', W: 'sub', M: '$x' });
    expect(command(found, 'b')).toEqual(['over']);
    expect(variables(found, 'e')).toEqual({ E: 'e' });
    expect(command(found, 'e')).toEqual(['e']);
    expect(found.stack.services.get('b')?.mounts).toMatchObject([{ source: join(root, 'sub/data') }]);
    expect(found.stack.services.get('e')?.mounts).toMatchObject([{ source: join(root, 'other/data') }]);
    expect(found.stack.volumes).toEqual(['kept']);
  });

  it('F13.5 is refused, with its place, when it leads nowhere, round in a circle, or says the same otherwise', () => {
    const files = {
      'compose.yaml': `include:\n  - none.yaml\n  - c.yaml\n  - oci://example.com/c\n  - { path: c.yaml, env_file: none.env }\n${a()}`,
      'c.yaml': 'include: [compose.yaml]\nservices:\n  a: { image: y }\n',
    };
    expect(mistakes(files)).toEqual([
      'c.yaml:1:11  include goes round in a circle: compose.yaml → c.yaml → compose.yaml',
      'compose.yaml:2:5  include: no such file: none.yaml',
      'compose.yaml:4:5  include: oci://example.com/c: only files here are read',
      'compose.yaml:5:31  include: env_file: no such file: none.env',
      'compose.yaml:7:3  services: a is included from c.yaml:3 already',
    ]);
  });
});

describe('what only some engines can do', () => {
  it('F13.5 ranges of one length are ports, and the rest is refused by name', () => {
    const { stack } = read({ 'compose.yaml': a('    ports: ["127.0.0.1:8000-8001:80-81"]\n') });
    expect(stack.services.get('a')?.ports).toMatchObject([
      { published: 8000, target: 80 },
      { published: 8001, target: 81 },
    ]);
    const body =
      '    scale: 2\n    deploy: { replicas: 3 }\n    ports: ["80", "8000-8002:80", "8000-8001:80-82"]\n    volumes_from: [a]\n';
    expect(mistakes({ 'compose.yaml': a(body) })).toEqual([
      'compose.yaml:4:12  a: scale: only 1 is supported, got 2',
      'compose.yaml:5:25  a: deploy.replicas: only 1 is supported, got 3',
      "compose.yaml:6:13  ports: 80 has no published port; one of the engine's choice is not supported",
      'compose.yaml:6:19  ports: a choice of ports (8000-8002) is not supported; expected one',
      'compose.yaml:6:35  ports: 8000-8001 and 80-82 are not of one length',
      'compose.yaml:7:5  a: volumes_from is not supported',
    ]);
  });

  it('F13.5 !reset and !override take out what was there before', () => {
    const found = read({
      'compose.yaml': a(
        '    command: one\n    ports: ["80:80"]\n    environment: { A: 1, B: 2 }\n  b: { image: x }\n',
      ),
      'compose.override.yaml':
        'services:\n  a: { command: !reset null, ports: !override ["81:81"], environment: { A: !reset null, C: 3 } }\n  b: !reset null\n',
    });
    expect([...found.stack.services.keys()]).toEqual(['a']);
    expect(command(found)).toEqual([]);
    expect(found.stack.services.get('a')?.ports).toMatchObject([{ published: 81 }]);
    expect(variables(found)).toEqual({ B: '2', C: '3' });
  });
});
