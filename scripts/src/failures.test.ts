import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { markSecret } from '@lockstep/foundation';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Outcome } from './engine.ts';
import { keepFailures, readFailure, readFailures } from './failures.ts';
import type { Project } from './project.ts';

let project: Project;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'lockstep failures-'));
  project = {
    root,
    composeFiles: [],
    directory: root,
    envFile: join(root, '.env'),
    envFiles: [],
    fallbackEnvFile: undefined,
    stateFolder: join(root, '.lockstep'),
    passedOver: [],
  };
});
afterEach(() => rmSync(project.root, { recursive: true, force: true }));

const file = () => join(project.stateFolder, 'failures/one-migrations.json');
const broken: Outcome = {
  service: 'one-migrations',
  state: 'failed',
  exitStatus: 1,
  ok: false,
  changed: true,
  output: ['migrate: 000003 failed', 'password of-a-role-123456'],
};
const blocked: Outcome = {
  service: 'one',
  state: 'created',
  ok: false,
  changed: false,
  blockedBy: ['one-migrations'],
};
const mended: Outcome = {
  service: 'one-migrations',
  state: 'completed',
  exitStatus: 0,
  ok: true,
  changed: true,
};

it('keeps the words of a failed service and who stayed down, with secrets masked, for its owner only', () => {
  markSecret('of-a-role-123456');
  keepFailures(project, 'docker', [broken, blocked]);
  expect(readFailure(project, 'one-migrations')).toMatchObject({
    service: 'one-migrations',
    engine: 'docker',
    exitStatus: 1,
    blocked: ['one'],
    mendedAt: undefined,
  });
  expect(readFileSync(file(), 'utf8')).not.toContain('of-a-role-123456');
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readFailures(project).map(({ service }) => service)).toEqual(['one-migrations']);
});

it('says since when it works, and forgets nothing', () => {
  keepFailures(project, 'docker', [broken, blocked]);
  keepFailures(project, 'docker', [mended]);
  const kept = readFailure(project, 'one-migrations');
  expect(kept?.output[0]).toBe('migrate: 000003 failed');
  expect(Date.parse(kept?.mendedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(kept?.at ?? ''));
});

it('writes nothing for a stack in which nothing ever failed', () => {
  keepFailures(project, 'embedded', [mended]);
  expect(readFailures(project)).toEqual([]);
});

it.each(['', '{"service":"one', '[]', '{"service":5}'])('takes a file that holds %j for none', (text) => {
  keepFailures(project, 'docker', [broken]);
  writeFileSync(file(), text);
  expect(readFailure(project, 'one-migrations')).toBeUndefined();
  expect(readFailures(project)).toEqual([]);
});
