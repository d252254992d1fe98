// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StackFileError } from '../errors.ts';
import { findProject } from '../project.ts';
import { readStack, readStackFiles } from './read-stack.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-compose-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function read(compose: string, override?: string, values: Record<string, string> = {}) {
  writeFileSync(join(root, 'compose.yaml'), compose);
  if (override !== undefined) writeFileSync(join(root, 'compose.override.yaml'), override);
  return readStack(readStackFiles(findProject(root)), (name) => values[name]);
}

/** What is wrong with a stack, line by line. */
function mistakes(
  compose: string,
  override?: string,
  values: Record<string, string> = {},
): readonly string[] {
  try {
    read(compose, override, values);
  } catch (error) {
    if (error instanceof StackFileError) return error.evidence;
    throw error;
  }
  return [];
}

describe('a stack', () => {
  it('takes an alias for the last node before it, where an anchor is given twice', () => {
    const { stack } = read(
      'x-1: &c [one]\nservices:\n  a: { image: x, command: *c }\n  b: { image: x, command: &c [two] }\n  c: { image: x, command: *c }\n',
    );
    expect(['a', 'b', 'c'].map((name) => stack.services.get(name)?.command)).toEqual([
      ['one'],
      ['two'],
      ['two'],
    ]);
  });

  it('is read with anchors, merge keys, both forms of everything, and its override', () => {
    mkdirSync(join(root, 'data'));
    const { stack } = read(
      `
x-base: &base
  restart: on-failure:3
  environment: &environment { A: from base, B: from base }
name: \${NAME:-stack}
services:
  long:
    <<: *base
    image: x
    command: [run, --flag]
    environment:
      <<: *environment
      B: own
      C:
      D:
    depends_on:
      short: { condition: service_healthy }
    ports:
      - { target: 80, published: "\${LONG_PORT:-9001}", host_ip: 127.0.0.1 }
    volumes:
      - { type: volume, source: kept, target: /kept/ }
      - { type: bind, source: ./data, target: /data }
      - { type: tmpfs, target: /tmp }
    secrets: [{ source: token, target: own }]
    stop_signal: USR1
    stop_grace_period: 1m30s
  short:
    image: x
    command: run "two words"
    environment: [A=1, "B=x=y", C]
    healthcheck: { test: check this, interval: 2s, retries: 5, start_period: 10s, timeout: 1s }
    ports: ["127.0.0.1:9002:81", "9003:82/tcp", "9004:83/udp"]
    volumes: ["kept:/kept:ro", "./data:/data"]
    secrets: [token]
  last:
    image: x
    depends_on: [long, short]
volumes: { kept: }
secrets: { token: { file: ./token } }
`,
      `
services:
  short:
    command: [other]
    environment: { A: "2" }
    volumes: ["kept:/data"]
    ports: ["127.0.0.1:9005:84"]
`,
      { NAME: 'named', C: 'inherited', LONG_PORT: '9999' },
    );
    expect(stack.name).toBe('named');
    const [long, short, last] = [...stack.services.values()];
    expect(long).toMatchObject({
      command: ['run', '--flag'],
      restart: { policy: 'on-failure', most: 3 },
      dependsOn: [{ service: 'short', condition: 'service_healthy' }],
      stopSignal: 'SIGUSR1',
      stopGraceMilliseconds: 90_000,
      ports: [{ host: '127.0.0.1', published: 9999, target: 80, setting: 'LONG_PORT' }],
      mounts: [
        { kind: 'volume', source: 'kept', target: '/kept' },
        { kind: 'bind', source: join(root, 'data'), target: '/data' },
      ],
      secrets: [{ name: 'token', target: '/run/secrets/own' }],
    });
    expect(Object.fromEntries(long?.environment ?? [])).toEqual({ A: 'from base', B: 'own', C: 'inherited' });
    expect(short).toMatchObject({
      command: ['other'],
      healthcheck: { test: ['CMD-SHELL', 'check this'], intervalMilliseconds: 2000, retries: 5 },
      ports: [
        { host: '127.0.0.1', published: 9002, target: 81, setting: undefined },
        { host: '0.0.0.0', published: 9003, target: 82 },
        { host: '127.0.0.1', published: 9005, target: 84 },
      ],
      mounts: [
        { source: 'kept', target: '/kept' },
        { kind: 'volume', source: 'kept', target: '/data' },
      ],
    });
    expect(Object.fromEntries(short?.environment ?? [])).toEqual({ A: '2', B: 'x=y', C: 'inherited' });
    expect(last?.dependsOn.map(({ condition }) => condition)).toEqual(['service_started', 'service_started']);
  });

  it('is read the same with CRLF line ends and a byte order mark', () => {
    const { stack } = read(
      '\uFEFFservices:\r\n  a:\r\n    image: x\r\n    environment:\r\n      TEXT: one\r\n',
    );
    expect(stack.services.get('a')?.environment.get('TEXT')).toBe('one');
  });

  it('warns of a variable that counts as empty, where it is used', () => {
    const { warnings } = read(
      'x-unused: $NOT_USED\nservices:\n  a:\n    environment: { B: $NOT_SET }\n    image: x\n',
    );
    expect(warnings).toEqual(['compose.yaml:4:23  NOT_SET is not set; it counts as empty']);
  });
});

describe('mistakes in a stack', () => {
  it('are reported all at once, each with its place', () => {
    expect(
      mistakes(
        `
services:
  a:
    comand: [x]
    restart: sometimes
    stop_grace_period: 5
    depends_on: { b: { condition: service_ready }, postgras: { condition: service_started } }
    x-embedded: { entrypont: [x] }
  b:
    depends_on: [c]
    healthcheck: { test: [CMDS, x], interval: soon }
    volumes: ["nowhere:/x", "relative"]
    secrets: [unknown]
  c:
    depends_on: [b]
    ports: ["\${PORT}:80", "80"]
  postgres: {}
  d:
    depends_on: { postgres: { condition: service_healthy } }
`,
        `services: { ${['b', 'c', 'postgres', 'd'].map((name) => `${name}: { image: x }`).join(', ')} }`,
        { PORT: '70000' },
      ),
    ).toEqual([
      'compose.yaml:4:5  a: unknown key comand; did you mean command?',
      'compose.yaml:5:14  restart: expected no, always, on-failure[:times], unless-stopped, got "sometimes"',
      'compose.yaml:6:24  stop_grace_period: expected a duration such as 500ms, 1s or 1m30s, got "5"',
      'compose.yaml:7:35  depends_on: b: expected service_started, service_healthy, service_completed_successfully, got "service_ready"',
      'compose.yaml:7:52  a: depends_on: no service postgras; did you mean postgres?',
      'compose.yaml:8:17  a: x-embedded: expected either a program or an entrypoint',
      'compose.yaml:8:19  a: x-embedded: unknown key entrypont; did you mean entrypoint?',
      'compose.yaml:10:5  b: secrets: no secret unknown at the end of the file',
      'compose.yaml:10:18  depends_on goes round in a circle: b → c → b',
      'compose.yaml:11:26  healthcheck: test: expected CMD, CMD-SHELL or NONE first, got "CMDS"',
      'compose.yaml:11:47  interval: expected a duration such as 500ms, 1s or 1m30s, got "soon"',
      'compose.yaml:12:15  b: volumes: no volume nowhere at the end of the file',
      'compose.yaml:12:29  volumes: expected source:/target or source:/target:ro, got "relative"',
      'compose.yaml:16:13  ports: PORT: expected a port from 1 to 65535, got "70000"',
      "compose.yaml:16:27  ports: 80 has no published port; one of the engine's choice is not supported",
      'compose.yaml:19:19  d: depends_on: postgres can never be healthy: it has no healthcheck',
    ]);
  });

  it('name both files when they are in both', () => {
    expect(
      mistakes(
        'services:\n  a: { x: 1, image: y }\n',
        'services:\n  b: { restart: on-failure:x, image: y }\n',
      ),
    ).toEqual([
      'compose.override.yaml:2:17  restart: expected no, always, on-failure[:times], unless-stopped, got "on-failure:x"',
      'compose.yaml:2:8  a: unknown key x',
    ]);
  });

  it('include two services on one port, by the names of their settings', () => {
    const ports = (name: string) =>
      `  ${name}: { ports: ["127.0.0.1:\${${name.toUpperCase()}_PORT:-9000}:80"], image: x }\n`;
    expect(mistakes(`services:\n${ports('a')}${ports('b')}`)).toEqual([
      'compose.yaml:3:16  ports: B_PORT is 9000, and so is A_PORT; they must differ',
    ]);
  });

  it.each([
    ['an empty file', '', ['compose.yaml:1:1  the file is empty']],
    ['only comments', '# nothing\n', ['compose.yaml:1:1  the file is empty']],
    ['a list', '- a\n', ['compose.yaml:1:1  expected a map at the top of the file']],
    ['no services', 'name: a\n', ['compose.yaml:1:1  there are no services']],
    ['a NUL byte', 'services:\n  a: {\0}\n', ['compose.yaml:2:1  the file has a NUL byte; it must be text']],
    [
      'a tab for indentation',
      'services:\n\ta: {}\n',
      ['compose.yaml:2:1  not YAML: tabs are not allowed as indentation'],
    ],
    ['a key twice', 'services:\n  a: {}\n  a: {}\n', ['compose.yaml:3:3  not YAML: map keys must be unique']],
    ['a service that is a list', 'services:\n  a: [x]\n', ['compose.yaml:2:6  a: expected a map']],
    ['an unknown anchor', 'services:\n  a: *b\n', ['compose.yaml:2:6  no anchor &b before this']],
    [
      'an anchor in itself',
      'services: &s\n  a: { command: [x], x-b: *s }\n',
      ['compose.yaml:2:3  an alias leads back to itself'],
    ],
    [
      'a service name with a path',
      'services:\n  "../a": { image: x }\n',
      [
        'compose.yaml:2:3  services: expected letters, digits, ., - and _, at most 100, beginning with a letter or digit, got "../a"',
      ],
    ],
    [
      'what is not supported',
      'services:\n  a: { scale: 2, volumes_from: [y], image: x }\n',
      [
        'compose.yaml:2:15  a: scale: only 1 is supported, got 2',
        'compose.yaml:2:18  a: volumes_from is not supported',
      ],
    ],
    [
      'a tag of its own',
      'services:\n  a: { command: !odd [], image: x }\n',
      ['compose.yaml:2:22  the tag !odd is not supported'],
    ],
    [
      'a variable that is not closed',
      'services:\n  a: { command: ["${x"], image: x }\n',
      [
        'compose.yaml:2:18  cannot fill in "${x": expected a variable name and "}" after "${"; write "$$" for a dollar sign',
      ],
    ],
    [
      'a required variable',
      'services:\n  a: { command: ["${X:?say which}"], image: x }\n',
      ['compose.yaml:2:18  X is required: say which'],
    ],
    [
      'a bind mount of nothing',
      'services:\n  a: { volumes: ["/no/such/folder:/x"], image: x }\n',
      ['compose.yaml:2:18  a: volumes: no such folder: /no/such/folder'],
    ],
    [
      'a name that is a number',
      'name: 5\nservices: { a: { image: x } }\n',
      ['compose.yaml:1:7  name: expected a string'],
    ],
  ])('include %s', (_, compose, expected) => {
    expect(mistakes(compose)).toEqual(expected);
  });

  it('include a file of 50 MB, which is not read', () => {
    writeFileSync(join(root, 'compose.yaml'), '');
    truncateSync(join(root, 'compose.yaml'), 50 * 1024 * 1024);
    expect(() => readStackFiles(findProject(root))).toThrow(
      expect.objectContaining({
        evidence: ['compose.yaml:1:1  the file has 52428800 bytes; at most 1048576 are read'],
      }),
    );
  });

  it('include ten thousand lists in each other', () => {
    const [mistake] = mistakes(`services: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`);
    expect(mistake).toMatch(/^compose\.yaml:1:\d+ {2}(not YAML: )?nested too deeply$/);
  });

  it('do not include aliases upon aliases, which are read once each', () => {
    const lines = Array.from(
      { length: 60 },
      (_, level) => `x-${level + 1}: &l${level + 1} [*l${level}, *l${level}]`,
    );
    expect(
      mistakes(`x-0: &l0 [a]\n${lines.join('\n')}\nservices: { a: { image: x, x-all: *l60 } }\n`),
    ).toEqual([]);
  });
});
