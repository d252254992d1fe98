import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Mistakes } from '../compose/mistakes.ts';
import { loadStack, readStack, readStackFiles } from '../compose/read-stack.ts';
import { findProject } from '../project.ts';
import { madeFromLabel, oneOffLabel, writeOneOff, writePodmanCompose } from './podman-compose-file.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'with space '));
  mkdirSync(join(root, 'files'));
  writeFileSync(join(root, 'token'), 'hidden');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What podman-compose is told of a stack. */
function told(yaml: string, version = '1.6.0', settings: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(root, 'compose.yaml'), yaml);
  const files = readStackFiles(findProject(root));
  const setting = (name: string) => settings[name];
  const file = writePodmanCompose({
    stack: readStack(files, setting).stack,
    filled: loadStack(files, setting, new Mistakes()).tree,
    root,
    version,
    configFile: (name) => `/configs/${name}`,
    imageId: (image) => `id of ${image}`,
  });
  return { ...file, whole: JSON.parse(file.text) };
}

const app = `
services:
  app:
    image: app
    build: .
    depends_on: { db: { condition: service_healthy } }
    environment: { PRICE: "$$5 \${NAME:-none}", PORT: 8080 }
    ports: ["127.0.0.1:8080:8080"]
    volumes: ["./files:/files:ro", "data:/data"]
    secrets: [token]
    networks: [back]
    restart: unless-stopped
  db:
    image: db
    healthcheck: { test: [CMD, ask, "select 1", "it's"], interval: 1s }
    networks: [back]
    restart: "no"
networks: { back: { internal: true }, unused: {} }
volumes: { data: {}, other: {} }
secrets: { token: { file: ./token } }
`;

describe('the file for podman-compose', () => {
  it('has no dependency, no build, and services in the order of their start', () => {
    const { whole } = told(app);
    expect(Object.keys(whole.services)).toEqual(['db', 'app']);
    expect(whole.services.app).not.toHaveProperty('depends_on');
    expect(whole.services.app).not.toHaveProperty('build');
    expect(whole['x-podman']).toEqual({ in_pod: false });
  });

  it('has variables filled in, and doubles a dollar sign that is meant', () => {
    const { whole } = told(app, '1.6.0', { NAME: 'a$b' });
    expect(whole.services.app.environment).toEqual({ PRICE: '$$5 a$$b', PORT: '8080' });
  });

  it('has absolute paths and names secrets by their files', () => {
    const { whole, text } = told(app);
    expect(whole.services.app.volumes).toEqual([
      { type: 'bind', source: join(root, 'files'), target: '/files', read_only: true },
      { type: 'volume', source: 'data', target: '/data' },
    ]);
    expect(whole.secrets).toEqual({ token: { file: join(root, 'token') } });
    expect(text).not.toContain('hidden');
  });

  it('leaves out what no service uses, and labels the rest as Docker Compose does', () => {
    const { whole } = told(app);
    expect(whole.networks).toEqual({
      back: {
        internal: true,
        labels: {
          'com.docker.compose.network': 'back',
          [madeFromLabel]: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
      },
    });
    expect(whole.volumes).toMatchObject({ data: { labels: { 'com.docker.compose.volume': 'data' } } });
    expect(Object.keys(whole.volumes)).toEqual(['data']);
  });

  it.each([
    ['1.0.3', `ask 'select 1' 'it'"'"'s'`],
    ['1.3.0', `ask 'select 1' 'it'"'"'s'`],
    ['1.6.0', ['CMD', 'ask', 'select 1', "it's"]],
  ])('keeps the words of a health check for %s', (version, test) => {
    expect(told(app, version).whole.services.db.healthcheck).toEqual({ test, interval: '1s' });
  });

  it('gives another hash to a service that changed, and to no other', () => {
    const before = told(app).madeFrom;
    const after = told(app.replace('image: db', 'image: db2')).madeFrom;
    expect(after.get('db')).not.toBe(before.get('db'));
    expect(after.get('app')).toBe(before.get('app'));
    const added = told(app.replace('unused: {}', 'unused: {}, more: {}')).madeFrom;
    expect(added).toEqual(before);
    const opened = told(app.replace('internal: true', 'internal: false')).madeFrom;
    expect([...opened.values()]).not.toContain(before.get('app'));
  });

  it('mounts a config as a file', () => {
    const configured = `${app.replace('secrets: [token]', 'configs: [{ source: rules, target: /etc/rules }]')}
configs: { rules: { content: abc } }`;
    expect(told(configured).whole.services.app.volumes).toContainEqual({
      type: 'bind',
      source: '/configs/rules',
      target: '/etc/rules',
      read_only: true,
    });
  });

  it('refuses aliases in a network for a version that drops them', () => {
    const named = app.replace(
      'networks: [back]\n    restart: unless',
      'networks: { back: { aliases: [a] } }\n    restart: unless',
    );
    expect(told(named).whole.services.app.networks).toEqual({ back: { aliases: ['a'] } });
    expect(() => told(named, '1.0.3')).toThrow(
      'podman-compose 1.0.3 cannot give a service aliases or addresses in a network',
    );
  });
});

describe('the file for one run', () => {
  it('holds one service with the changes, no ports, and the mark of a one-off', () => {
    const changes = { container_name: 'one', command: ['say', '$HOME'] };
    const whole = JSON.parse(writeOneOff(told(app), 'app', changes));
    expect(Object.keys(whole.services)).toEqual(['app']);
    const { app: service } = whole.services;
    expect(service).not.toHaveProperty('ports');
    expect(service).toMatchObject({ container_name: 'one', command: ['say', '$$HOME'], restart: 'no' });
    expect(service.labels[oneOffLabel]).toBe('True');
    expect(service.labels[madeFromLabel]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('F13.5 is told what env_file, extends and include came to, and none of them', () => {
    writeFileSync(join(root, 'one.env'), 'FILE="a $$b"\nOWN=file\n');
    writeFileSync(join(root, 'more.yaml'), 'services: { more: { image: y, volumes: ["./files:/f"] } }\n');
    const { whole } = told(`
include: [more.yaml]
services:
  a: { extends: b, env_file: one.env, environment: { OWN: own, BIG: 112233445566778899, OCTAL: 0123 }, links: [more] }
  b: { image: x, scale: 1, extra_hosts: { host: 10.0.0.1 } }
`);
    expect(whole.services.a).toMatchObject({
      image: 'x',
      environment: { FILE: 'a $$b', OWN: 'own', BIG: '112233445566778899', OCTAL: '83' },
      extra_hosts: ['host:10.0.0.1'],
    });
    expect(whole.services.more.volumes).toMatchObject([
      { type: 'bind', source: join(root, 'files'), target: '/f' },
    ]);
    for (const key of ['env_file', 'extends', 'links', 'scale']) {
      expect(whole.services.a).not.toHaveProperty(key);
      expect(whole.services.b).not.toHaveProperty(key);
    }
  });
});
