// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findProject } from '../project.ts';
import { projectFindings } from './project.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-doctor-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function said(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text, { mode: 0o600 });
  return (await projectFindings(findProject(root))).map(({ mark, text }) => `${mark}: ${text}`);
}

it('F13.1 doctor says which lines of .env Compose would refuse, and by which rule', async () => {
  const findings = await said({
    'compose.yaml': 'services: { a: { image: x } }\n',
    '.env': 'A=1\nB=${A\nC D=2\n',
  });
  const [bad] = findings.filter((line) => line.startsWith('bad:'));
  expect(bad).toContain('2 lines of');
  expect(bad).toContain('.env:2:3  cannot fill in "${A"');
  expect(bad).toContain('.env:3:2  expected NAME=value, got a blank in the name');
});

it('F13.1 F13.3 doctor says what is hardly meant: names without a value, files that are not read', async () => {
  const findings = await said({
    'compose.yaml': 'services: { a: { image: x } }\n',
    'compose.yml': 'services: {}\n',
    '.env': 'LONELY_NAME\nA=$NOBODY_SETS_THIS\n',
  });
  expect(findings).toEqual(
    expect.arrayContaining([
      'note: compose.yml:1:1  is not read, for another compose file is there',
      'note: .env:1:1  LONELY_NAME has no value, and nor has it in the environment',
      'note: .env:2:3  NOBODY_SETS_THIS is not set; it counts as empty',
    ]),
  );
});

it('F13.3 doctor names what is wrong in files that are included', async () => {
  const findings = await said({
    'compose.yaml': 'include: [c.yaml, none.yaml]\nservices: { a: { image: x } }\n',
    'c.yaml': 'services: { b: { image: y, comand: z } }\n',
  });
  const [bad] = findings.filter((line) => line.startsWith('bad:'));
  expect(bad).toContain('c.yaml:1:28  b: unknown key comand; did you mean command?');
  expect(bad).toContain('compose.yaml:1:19  include: no such file: none.yaml');
});
