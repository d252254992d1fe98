import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StackFileError } from '../errors.ts';
import { findProject } from '../project.ts';
import { readStack, readStackFiles } from './read-stack.ts';
import type { Stack } from './stack.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-profiles-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function read(compose: string, active = ''): Stack {
  writeFileSync(join(root, 'compose.yaml'), compose);
  const lookup = (name: string) => (name === 'COMPOSE_PROFILES' ? active : undefined);
  return readStack(readStackFiles(findProject(root)), lookup).stack;
}

function mistakes(compose: string, active = ''): readonly string[] {
  try {
    read(compose, active);
  } catch (error) {
    if (error instanceof StackFileError) return error.evidence;
    throw error;
  }
  return [];
}

const compose = `
services:
  app:
    image: x
    secrets: [own]
    depends_on: { cache: { condition: service_started, required: false } }
  cache: { image: x, profiles: [fast], secrets: [extra], volumes: ["cache:/cache"] }
  console: { image: x, profiles: [tools, all-tools], ports: ["127.0.0.1:\${CONSOLE_PORT:-9000}:80"] }
volumes: { cache: }
secrets: { own: { file: ./own }, extra: { file: ./extra }, unused: { file: ./unused } }
`;

describe('services of profiles', () => {
  it('take no part until a profile of theirs is active', () => {
    const stack = read(compose);
    expect([...stack.services.keys()]).toEqual(['app']);
    expect([...stack.inactive]).toEqual([
      ['cache', ['fast']],
      ['console', ['tools', 'all-tools']],
    ]);
  });

  it.each([
    ['fast', ['app', 'cache']],
    ['all-tools', ['app', 'console']],
    ['fast, tools', ['app', 'cache', 'console']],
    ['*', ['app', 'cache', 'console']],
    ['other', ['app']],
  ])('with COMPOSE_PROFILES=%s are %j', (active, expected) => {
    expect([...read(compose, active).services.keys()]).toEqual(expected);
  });

  it('leave the secrets that only they are given, and keep their volumes', () => {
    const stack = read(compose);
    expect([...stack.secrets.keys()]).toEqual(['own', 'unused']);
    expect(stack.volumes).toEqual(['cache']);
    expect([...read(compose, 'fast').secrets.keys()]).toEqual(['own', 'extra', 'unused']);
  });

  it('are no dependency of a service that does not require them', () => {
    expect(read(compose).services.get('app')?.dependsOn).toEqual([]);
    expect(read(compose, 'fast').services.get('app')?.dependsOn).toMatchObject([{ service: 'cache' }]);
  });

  it('cannot be required by a service that takes part without them', () => {
    const wrong =
      'services:\n  app: { depends_on: [cache], image: x }\n  cache: { image: x, profiles: [fast] }\n';
    expect(mistakes(wrong)).toEqual([
      'compose.yaml:2:23  app: depends_on: cache takes part only with the profile fast',
    ]);
    expect(mistakes(wrong, 'fast')).toEqual([]);
  });

  it('are read for mistakes even when they take no part', () => {
    expect(
      mistakes('services:\n  app: { image: x }\n  cache: { profiles: [fast, "a b"], comand: x }\n'),
    ).toEqual([
      'compose.yaml:3:29  profiles: expected letters, digits, ., - and _, beginning with a letter or digit, got "a b"',
      'compose.yaml:3:37  cache: unknown key comand; did you mean command?',
    ]);
  });
});

describe('keys that matter only inside a container', () => {
  it('are accepted', () => {
    const stack = read(`
services:
  app:
    image: x
    init: true
    hostname: app
    user: "1000:1000"
    extra_hosts: ["host.docker.internal:host-gateway"]
    labels: { a: b }
    logging: { driver: json-file, options: { max-size: 10m } }
    deploy: { resources: { limits: { memory: 128M } } }
    ulimits: { nofile: 1024 }
    mem_limit: 128m
    pull_policy: never
    develop: { watch: [{ action: sync+restart, path: ./src, target: /src }] }
    healthcheck: { disable: true }
    configs: [settings, { source: settings, target: /etc/app.yaml }, { source: text, target: own }]
configs:
  settings: { file: ./settings.yaml }
  text: { content: "a" }
`);
    expect(stack.services.get('app')).toMatchObject({
      healthcheck: undefined,
      configs: [
        { name: 'settings', target: '/settings' },
        { name: 'settings', target: '/etc/app.yaml' },
        { name: 'text', target: '/own' },
      ],
    });
    expect([...stack.configs]).toEqual([['settings', join(root, 'settings.yaml')]]);
  });

  it('are still told from slips', () => {
    expect(
      mistakes(
        'services:\n  app: { hostnam: a, ulimit: {}, healthcheck: { disabled: true }, configs: [x], image: y }\n',
      ),
    ).toEqual([
      'compose.yaml:2:10  app: unknown key hostnam; did you mean hostname?',
      'compose.yaml:2:22  app: unknown key ulimit; did you mean ulimits?',
      'compose.yaml:2:49  healthcheck: unknown key disabled; did you mean disable?',
      'compose.yaml:2:77  app: configs: no config x at the end of the file',
    ]);
  });
});
