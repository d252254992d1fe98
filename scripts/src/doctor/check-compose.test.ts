// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProject } from '../project.ts';
import { checkCompose, viewProject } from './check-compose.ts';
import { rules } from './rules/index.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-doctor-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function check(compose: string, override?: string, values: Record<string, string> = {}) {
  writeFileSync(join(root, 'compose.yaml'), compose);
  if (override !== undefined) writeFileSync(join(root, 'compose.override.yaml'), override);
  return checkCompose(viewProject(findProject(root), (name) => values[name]));
}

describe('the compose files of the project itself', () => {
  it('have nothing to find fault with', () => {
    const project = findProject(join(dirname(fileURLToPath(import.meta.url)), '../../..'));
    expect(checkCompose(viewProject(project, () => undefined))).toMatchObject([{ mark: 'good' }]);
  });
});

describe('a stack that gates as it should', () => {
  const good = `
services:
  postgres:
    image: postgres:18
    volumes: ["postgres:/var/lib/postgresql"]
    healthcheck: { test: [CMD, pg_isready, -h, 127.0.0.1], interval: 1s }
    restart: unless-stopped
    ports: ["127.0.0.1:\${POSTGRES_PORT:-15432}:5432"]
  app-migrations:
    image: migrate:1.0
    restart: "no"
    depends_on: { postgres: { condition: service_healthy } }
  app:
    image: registry.example:5000/app@sha256:0123
    restart: always
    depends_on: { app-migrations: { condition: service_completed_successfully } }
volumes: { postgres: }
`;
  it('is told so, with what was looked at', () => {
    expect(check(good)).toEqual([
      { mark: 'good', text: `nothing to find fault with (${Object.keys(rules).length} rules, 3 services)` },
    ]);
  });

  it('is found fault with where an override spoils it, in the override’s own lines', () => {
    const override = 'services:\n  postgres:\n    ports: ["5432:5432"]\n    stop_signal: SIGTERM\n';
    expect(check(good, override).map(({ place, rule }) => [place?.file, place?.line, rule])).toEqual([
      ['compose.override.yaml', 3, 'open-port'],
      ['compose.override.yaml', 3, 'fixed-port'],
      ['compose.override.yaml', 4, 'postgres-stop-signal'],
    ]);
  });
});

describe('files the stack’s own reader refuses', () => {
  it('are looked at all the same', () => {
    const odd =
      'extends: x\nservices:\n  a: { comand: x, env_file: y, ports: [80, {}, [1]], image: !odd redis }\n  b: [x]\n  c:\n';
    expect(check(odd).map(({ rule }) => rule)).toEqual([
      'unrestarted-server',
      'open-port',
      'open-port',
      'unpinned-image',
    ]);
  });

  it.each([
    ['not YAML', 'services: ['],
    ['an empty file', ''],
    ['no services', 'name: x\n'],
  ])('yield nothing when there is nothing to look at: %s', (_, text) => {
    expect(check(text)).toEqual([]);
  });
});

describe('one fault of a template', () => {
  it('is reported once, with every service that has it', () => {
    const services =
      'a: { <<: *t, ports: ["127.0.0.1:${A:-1}:1"] }\nb: { <<: *t, ports: ["127.0.0.1:${B:-2}:2"] }';
    expect(
      check(`x-t: &t { image: redis, restart: always }\nservices:\n${services.replace(/^/gm, '  ')}\n`),
    ).toEqual([
      {
        mark: 'note',
        rule: 'unpinned-image',
        place: { file: 'compose.yaml', line: 1, column: 11 },
        text: 'a, b: the image redis has no tag',
        because: 'each machine, and each pull, gets whatever is newest that day',
        act: 'fix: a version: redis:<version>',
      },
    ]);
  });
});
