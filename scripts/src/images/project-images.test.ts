import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { labelInstruction } from './build-image.ts';
import { dockerfileOf, projectImageKey, projectImages } from './project-images.ts';

const project = join(import.meta.dirname, '../../..');
const dockerfile = readFileSync(join(project, 'Dockerfile'), 'utf8');
let folder: string;
/** The files of a program that the build leaves in `folder`. */
const programOf = (folder: string, name: string) =>
  ['start.cjs', 'cache', 'cjs'].map((end) => `${folder}/dist/${name}.${end}`).join(' ');
/** One program of this text. */
const programs = (text: string) => [{ path: 'x.cjs', bytes: Buffer.from(text) }];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep test images-'));
  for (const name of ['billing-api', 'services-api', 'no-app'])
    mkdirSync(join(folder, name, 'src'), { recursive: true });
  for (const name of ['billing-api', 'services-api'])
    writeFileSync(join(folder, name, 'src', 'server.ts'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [
    'migrate',
    ['COPY migrations/dist/libpg-query.wasm /app/', `COPY ${programOf('migrations', 'migrate')} /app/`],
  ],
  [
    'bootstrap',
    [
      'COPY --chown=node:node credentials/ /run/credentials/',
      `COPY ${programOf('vault', 'bootstrap')} /app/`,
    ],
  ],
  ['app', [`COPY ${programOf('$' + '{APP}', 'server')} /app/`]],
])("%s of the project's Dockerfile, made for a built program, only copies", (target, copies) => {
  const text = dockerfileOf({ target }, dockerfile);
  expect(text.match(/^FROM .*$/gm)).toEqual([`FROM ${'$'}{NODE_IMAGE} AS program`]);
  expect(text.match(/^(USER|ENTRYPOINT) .*$/gm)).toHaveLength(2);
  expect(text.match(/^COPY .*$/gm)).toEqual(copies);
  expect(text).not.toMatch(/^RUN|--from=/m);
});

test('every stage an image is built from is in the Dockerfile', () => {
  for (const { target } of projectImages(project, () => undefined)) {
    expect(dockerfile).toContain(`\nFROM program AS ${target}\n`);
  }
});

test.each([
  'FROM node\nCOPY . .\n',
  'FROM node AS app\nRUN npm ci\n',
  'FROM node AS app\nCOPY --from=other /x /\n',
])('a Dockerfile of another shape is refused: %j', (text) => {
  expect(() => dockerfileOf({ target: 'app' }, text)).toThrow(
    "the Dockerfile's stage app cannot be built from programs that are there",
  );
});

test('labels keep every character that a Dockerfile gives a meaning to', () => {
  expect(labelInstruction({ a: 'it\'s "$HOME" \\', b: 'one\ntwo' })).toBe(
    'LABEL "a"="it\'s \\"\\$HOME\\" \\\\" "b"="one two"',
  );
});

test('there is an image for each app, and the bootstrap has a folder for each of its roles', () => {
  const images = projectImages(folder, () => undefined);
  expect(images.map(({ reference }) => reference)).toEqual([
    'lockstep/migrate:dev',
    'lockstep/vault-bootstrap:dev',
    'lockstep/billing-api:dev',
    'lockstep/services-api:dev',
  ]);
  expect(images[1]?.folders).toEqual([
    'credentials/billing-api-migrator',
    'credentials/billing-api-app',
    'credentials/services-api-migrator',
    'credentials/services-api-app',
  ]);
});

test('prefix and tag are settings, and make the name of an image', () => {
  const settings = new Map([
    ['LOCKSTEP_IMAGE_PREFIX', 'registry.example:5000/team'],
    ['LOCKSTEP_IMAGE_TAG', '1.2'],
  ]);
  const setting = (name: string) => settings.get(name);
  expect(projectImages(folder, setting)[0]?.reference).toBe('registry.example:5000/team/migrate:1.2');
  settings.set('LOCKSTEP_IMAGE_PREFIX', 'Upper');
  expect(() => projectImages(folder, setting)).toThrow('LOCKSTEP_IMAGE_PREFIX');
});

test('the key changes exactly when something an image is made of does', () => {
  const [image] = projectImages(folder, () => undefined);
  if (image === undefined) throw new Error('no image');
  const parts = { dockerfile: 'd', baseId: 'b', version: 'v' };
  const key = projectImageKey(image, programs('p'), parts);
  expect(projectImageKey({ ...image, name: 'x', reference: 'y' }, programs('p'), parts)).toBe(key);
  const others = [
    projectImageKey(image, programs('q'), parts),
    projectImageKey(image, programs('p'), { ...parts, dockerfile: 'e' }),
    projectImageKey(image, programs('p'), { ...parts, baseId: 'c' }),
    projectImageKey(image, programs('p'), { ...parts, version: 'w' }),
    projectImageKey({ ...image, target: 'app' }, programs('p'), parts),
    projectImageKey({ ...image, args: { APP: 'a' } }, programs('p'), parts),
    projectImageKey({ ...image, folders: ['f'] }, programs('p'), parts),
  ];
  expect(new Set([key, ...others]).size).toBe(others.length + 1);
});
