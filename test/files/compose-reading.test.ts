// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapAtMost } from '@lockstep/foundation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteEnvValue } from '../../scripts/src/compose/env-text.ts';
import { ComposeCall } from '../../scripts/src/engines/compose-call.ts';
import { findProject } from '../../scripts/src/project.ts';
import { dates, type StackCase, scalars, stackCases } from '../support/compose-cases.ts';
import { envCases, hardValues } from '../support/compose-env-cases.ts';
import { findCompose, isComposeRequired } from '../support/compose-program.ts';
import { randomEnvText, randomScalar, randomStack, seeded } from '../support/compose-random.ts';
import {
  environmentOf,
  inEnvironment,
  type Reading,
  readingOfCompose,
  readingOfOurs,
  writeCase,
} from '../support/compose-readings.ts';

const compose = findCompose();
if (compose === undefined && !isComposeRequired)
  console.log('not run here: files are read as Docker Compose reads them (no Docker Compose v2 found)');

/** Twice as many as a test machine has cores at least. */
const atOnce = 4;

describe.runIf(compose !== undefined || isComposeRequired)('read as Docker Compose v2 reads it', () => {
  let root = '';
  let made = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'lockstep reading-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  /** Both readings of a project. */
  async function both(one: StackCase): Promise<{ ours: Reading; theirs: Reading }> {
    const folder = join(root, `project-${++made}`);
    await writeCase(folder, one);
    return {
      ours: readingOfOurs(folder, one),
      theirs: await readingOfCompose(compose ?? ['docker compose v2 was not found'], folder, one),
    };
  }

  /** What differs between the readings of each case, by its name; nothing where they agree. */
  async function differences(cases: Readonly<Record<string, StackCase>>): Promise<Record<string, unknown>> {
    const found = await mapAtMost(Object.entries(cases), atOnce, async ([name, one]) => {
      const { ours, theirs } = await both(one);
      if (one.differs !== undefined)
        return 'refused' in ours === 'refused' in theirs ? [[name, `agrees: ${one.differs}`] as const] : [];
      const [left, right] = 'refused' in ours && 'refused' in theirs ? [] : [ours, theirs];
      const isSame = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
      return isSame ? [] : [[name, { ours, theirs }] as const];
    });
    return Object.fromEntries(found.flat());
  }

  /** A project whose one service has what `.env` texts give their names, each under a prefix of its own. */
  function envProject(texts: readonly string[]): StackCase {
    const names = ['A', 'B', 'C', 'A-B', 'A.B', 'A[0]', 'y', '1A', 'é', 'A.b', 'c'];
    const all =
      texts.length === 1 ? names : texts.flatMap((_, at) => ['A', 'B', 'C'].map((name) => `N${at}_${name}`));
    const prefixed = texts.map((text, at) =>
      texts.length === 1 ? text : text.replace(/\b(?<![\\%])[ABC]\b/g, `N${at}_$&`),
    );
    const environment = all.map((name) => `      - ${JSON.stringify(name)}`).join('\n');
    return {
      files: {
        '.env': prefixed.join('\n'),
        'compose.yaml': `services:\n  a:\n    image: x\n    environment:\n${environment}\n`,
      },
    };
  }

  test('F13.1 every text of .env by hand is taken or refused, and gives the same values', async () => {
    const refused = envCases.filter(([, values]) => values === undefined);
    const taken = envCases.filter(
      ([text, values]) => values !== undefined && /^ *(export )?[ABC]/.test(text),
    );
    const cases = [
      envProject(taken.map(([text]) => `${text}\n`)),
      ...refused.map(([text]) => envProject([`${text}\n`])),
    ];
    expect(await differences(Object.fromEntries(cases.map((one) => [one.files['.env'], one])))).toEqual({});
  });

  test('F13.1 hundreds of random texts of .env give the same values, and what is refused here is refused', async () => {
    const random = seeded(13);
    const texts = Array.from({ length: 400 }, () => randomEnvText(random));
    const taken: string[] = [];
    const refused: string[] = [];
    for (const text of texts) {
      const folder = join(root, `env-${++made}`);
      const one = envProject([text]);
      await writeCase(folder, one);
      ('refused' in readingOfOurs(folder, one) ? refused : taken).push(text);
    }
    expect(taken.length).toBeGreaterThan(150);
    const cases = [envProject(taken), ...refused.slice(0, 40).map((text) => envProject([text]))];
    expect(await differences(Object.fromEntries(cases.map((one) => [one.files['.env'], one])))).toEqual({});
  });

  test('F13.1 values that the stack writes to .env are read back as they were', async () => {
    const lines = hardValues.map((value, at) => `V${at}=${quoteEnvValue(value)}\n`);
    const environment = hardValues.map((_, at) => `V${at}`);
    const services = { a: { image: 'x', environment } };
    const files = { '.env': lines.join(''), 'compose.yaml': JSON.stringify({ services }) };
    const { ours, theirs } = await both({ files });
    const expected = Object.fromEntries(hardValues.map((value, at) => [`V${at}`, value]));
    for (const reading of [ours, theirs])
      expect(reading).toMatchObject({ services: { a: { environment: expected } } });
  });

  test.each([
    ['the usual files', {}],
    ['files in another folder', { COMPOSE_FILE: 'deploy/one.yaml:compose.yaml' }],
    ['several files of settings', { COMPOSE_ENV_FILES: '.env,more.env' }],
  ])('F13.3 Compose is called so that it reads what it reads by itself: %s', async (_, environment) => {
    const folder = join(root, `project-${++made}`);
    const service =
      'services: { a: { image: x, environment: { V: "${V}", W: "${W}" }, volumes: ["./d:/d"] } }';
    const files = {
      '.env': 'V=root\nCOMPOSE_PROJECT_NAME=called\n',
      'more.env': 'W=more-$V\n',
      'compose.yaml': service,
      'deploy/one.yaml': service,
      'deploy/.env': 'V=deploy\nW=deploy\n',
    };
    await writeCase(folder, { files });
    const [program = '', ...first] = compose ?? [];
    const args = ['config', '--format', 'json'];
    const env = { ...environmentOf({ environment }), DOCKER_CONFIG: process.env['DOCKER_CONFIG'] };
    const alone = spawnSync(program, [...first, ...args], { cwd: folder, env, encoding: 'utf8' });
    const project = inEnvironment(environmentOf({ environment }), folder, () => findProject(folder));
    const called = new ComposeCall([program, ...first], environment, project, 'called');
    expect(JSON.parse(await called.succeed(args))).toEqual(JSON.parse(alone.stdout));
  });

  test('F13.2 unquoted values become the strings that Compose makes of them, in environment and labels', async () => {
    const random = seeded(14);
    const words = [...scalars, ...Array.from({ length: 500 }, () => randomScalar(random))];
    const lines = words
      .filter((word) => !/^\d{4}-\d\d?-\d\d?$/.test(word))
      .map((word, at) => `      V${at}: ${word}\n`);
    const map = lines.join('');
    const text = `services:\n  a:\n    image: x\n    environment:\n${map}    labels:\n${map}`;
    expect(await differences({ all: { files: { 'compose.yaml': text } } })).toEqual({});
  });

  test('F13.2 a date is refused, with its place', async () => {
    for (const date of dates) {
      const files = { 'compose.yaml': `services:\n  a:\n    image: x\n    environment:\n      D: ${date}\n` };
      const { ours, theirs } = await both({ files });
      expect(theirs).toHaveProperty('refused');
      expect(ours).toEqual({
        refused: expect.stringContaining(`compose.yaml:5:10  environment: D: ${date} is a date in YAML`),
      });
    }
  });

  test('F13.3 F13.4 F13.5 every project by hand is taken or refused, and read the same', async () => {
    expect(await differences(stackCases)).toEqual({});
  });

  test('F13.4 F13.5 random projects with overrides, extends and env_file are taken or refused, and read the same', async () => {
    const random = seeded(15);
    const cases = Array.from(
      { length: 80 },
      (_, at) => [`random ${at}`, { files: randomStack(random) }] as const,
    );
    expect(await differences(Object.fromEntries(cases))).toEqual({});
  });
});

/** With every map in the order of its keys, so that two of them can be compared. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
