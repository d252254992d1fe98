import { expect, test } from 'vitest';
import { meansSame, parseReference } from './reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each([
  ['postgres:18', { repository: 'postgres', tag: '18', digest: undefined }],
  ['hashicorp/vault:1.20', { repository: 'hashicorp/vault', tag: '1.20', digest: undefined }],
  ['docker.io/library/node', { repository: 'node', tag: undefined, digest: undefined }],
  ['localhost:5000/a/b_c:x', { repository: 'localhost:5000/a/b_c', tag: 'x', digest: undefined }],
  [`postgres@${digest}`, { repository: 'postgres', tag: undefined, digest }],
  [`ghcr.io/me/x:1@${digest}`, { repository: 'ghcr.io/me/x', tag: '1', digest }],
])('%s is taken apart', (text, parts) => {
  expect(parseReference(text, 'X')).toEqual({ text, ...parts });
});

test.each([
  '',
  'Postgres:18',
  'a b',
  'a:',
  '--help',
  'a@sha256:1',
  'a/../b',
  'x;rm -rf /',
  `a:${'t'.repeat(129)}`,
])('%j is no name of an image', (text) => {
  expect(() => parseReference(text, 'POSTGRES_IMAGE')).toThrow(/^POSTGRES_IMAGE is not the name of an image/);
});

test.each([
  ['node:24-slim', 'node:24-slim', true],
  ['node:24-slim', 'docker.io/library/node:24-slim', true],
  ['hashicorp/vault:1.20', 'docker.io/hashicorp/vault:1.20', true],
  ['lockstep/migrate:dev', 'localhost/lockstep/migrate:dev', true],
  ['node', 'node:latest', true],
  ['node:24-slim', 'node:24', false],
  ['node:24-slim', 'other/node:24-slim', false],
  [`node@${digest}`, `docker.io/library/node@${digest}`, true],
  [`node:24@${digest}`, `node@${digest}`, true],
  [`node@${digest}`, 'node:latest', false],
  ['node', `node@${digest}`, false],
])('%s and an engine that says %s: %s', (text, engineName, same) => {
  expect(meansSame(parseReference(text, 'X'), engineName)).toBe(same);
});
