import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { leastNode, nodeProblem, shellWord } from '../../build/machine.mjs';

test('F8.5 a Node below the floor of package.json is a problem, and one at or above it is not', () => {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url));
  const { engines } = JSON.parse(readFileSync(file, 'utf8')) as { engines: { node: string } };
  expect(engines.node).toBe(`>=${leastNode.join('.')}`);
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0'])
    expect(nodeProblem(version)).toBeUndefined();
  for (const version of ['20.18.3', '19.9.0', '18.20.8', '9.0.0'])
    expect(nodeProblem(version)?.fact).toBe(`Node.js 20.19 or newer is needed, and this is ${version}`);
});

test('F8.2 a path is written so that a shell reads it as one word', () => {
  expect(['/a/b-c', "/it's", '/a $b'].map(shellWord)).toEqual(['/a/b-c', "'/it'\\''s'", "'/a $b'"]);
});
