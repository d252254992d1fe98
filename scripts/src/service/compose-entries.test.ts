import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkAddition } from './compose-check.ts';
import { addToCompose, addToOverride, renamer } from './compose-entries.ts';
import { readServiceName } from './name.ts';

interface Compose {
  services: Record<string, Record<string, unknown>>;
  volumes: Record<string, unknown>;
}

function read(text: string): Compose {
  return parse(text, { merge: true, maxAliasCount: -1 }) as Compose;
}

/** The services and their databases, as the bootstrap is told. */
function told(text: string): string[] {
  const environment = read(text).services['vault-bootstrap']?.['environment'] as Record<string, string>;
  return (environment['BOOTSTRAP_SERVICES'] ?? '').split(' ');
}

const root = join(import.meta.dirname, '../../..');
const base = readFileSync(join(root, 'compose.yaml'), 'utf8');
const override = readFileSync(join(root, 'compose.override.yaml'), 'utf8');
const zebra = readServiceName('zebra-api');
const sibling = {
  name: 'services-api',
  bootstrap: 'vault-bootstrap',
  databases: new Map(told(base).map((pair) => [pair.split(':')[0] ?? '', pair.split(':')[1] ?? ''])),
};
const port = {
  sibling: 'services-api',
  siblingSetting: 'SERVICES_API_PORT',
  port: 18_099,
  services: ['content-api'],
};
const added = { ...sibling, databases: new Map([...sibling.databases, ['zebra-api', 'zebra']]) };
const names = { names: ['zebra-api', 'zebra-api-migrations'], bootstrap: 'vault-bootstrap' };

describe('a service that is added to compose.yaml', () => {
  const after = addToCompose(base, zebra, sibling);
  const { services, volumes } = read(after);

  test('is what the first service is, with the other name', () => {
    const rename = renamer('services-api', 'zebra-api');
    for (const name of ['services-api', 'services-api-migrations']) {
      const renamed: unknown = JSON.parse(rename(JSON.stringify(services[name])));
      expect(services[rename(name)]).toEqual(renamed);
    }
    expect(Object.keys(volumes)).toEqual(expect.arrayContaining(['zebra-api-migrator', 'zebra-api-app']));
  });

  test('is known to the bootstrap, which has a folder for each of its roles', () => {
    const { environment, volumes: mounts } = services['vault-bootstrap'] as {
      environment: Record<string, string>;
      volumes: string[];
    };
    expect(environment['BOOTSTRAP_SERVICES']).toMatch(/^services-api:services .*zebra-api:zebra$/);
    for (const role of ['zebra-api-migrator', 'zebra-api-app']) {
      expect(environment['CREDENTIALS_FOLDERS']?.split('\n')).toContain(`/run/credentials/${role}`);
      expect(mounts).toContain(`${role}:/run/credentials/${role}`);
    }
  });

  test('leaves every other line as it was', () => {
    const lines = after.split('\n');
    const rest = base.split('\n').filter((line) => !line.includes('BOOTSTRAP_SERVICES'));
    let at = 0;
    for (const line of rest) {
      at = lines.indexOf(line, at) + 1;
      expect(at, line).toBeGreaterThan(0);
    }
    expect(() => checkAddition('compose.yaml', { before: base, after }, names)).not.toThrow();
  });

  test('is not added twice', () => {
    expect(addToCompose(after, zebra, added)).toBe(after);
  });

  test('is added whole where a part of it is missing', () => {
    const part = after
      .replace(/^ {8}\/run\/credentials\/zebra-api-app\n/m, '')
      .replace(/^ {2}zebra-api-app: \{\}\n/m, '');
    expect(part.length).toBeLessThan(after.length);
    expect(addToCompose(part, zebra, added)).toBe(after);
  });

  test('keeps the line ends of a file that was written on Windows', () => {
    const windows = base.replaceAll('\n', '\r\n');
    expect(addToCompose(windows, zebra, sibling)).toBe(after.replaceAll('\n', '\r\n'));
  });

  test('keeps the list of services to lines of a readable length, however many there are', () => {
    let text = base;
    const databases = new Map(sibling.databases);
    for (let n = 1; n <= 20; n++) {
      const service = readServiceName(`service-${n}`);
      text = addToCompose(text, service, { ...sibling, databases });
      databases.set(service.name, service.database);
    }
    expect(told(text)).toEqual([...databases].map(([name, database]) => `${name}:${database}`));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(
      Math.max(...base.split('\n').map((line) => line.length)),
    );
  });
});

describe('the list of services', () => {
  const grown = (value: string) =>
    addToCompose(
      `services:
  vault-bootstrap:
    environment:
      BOOTSTRAP_SERVICES: ${value}
      LOG_LEVEL: info
`,
      zebra,
      sibling,
    );

  test.each([
    ['a:b # theirs', 'a:b zebra-api:zebra # theirs'],
    ['"a:b"', '"a:b zebra-api:zebra"'],
    ["'a:b'", "'a:b zebra-api:zebra'"],
    ['>-\n        a:b\n        c:d', '>-\n        a:b\n        c:d zebra-api:zebra'],
    ['a:b\n        c:d', 'a:b\n        c:d zebra-api:zebra'],
  ])('written as %j grows by one', (before, after) => {
    expect(grown(before)).toBe(grown('').replace(/BOOTSTRAP_SERVICES:.*/, `BOOTSTRAP_SERVICES: ${after}`));
  });
});

describe('the override', () => {
  test('publishes the new service on a port of its own', () => {
    const after = addToOverride(override, zebra, port);
    const [own, theirs] = ['zebra-api', 'services-api'].map((name) =>
      JSON.stringify(read(after).services[name]),
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variables
    expect(own).toContain('127.0.0.1:${ZEBRA_API_PORT:-18099}:8080');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own variables
    expect(theirs).toContain('127.0.0.1:${SERVICES_API_PORT:-18081}:8080');
    expect(addToOverride(after, zebra, port)).toBe(after);
  });

  test('whose port no setting sets is refused rather than given the same port twice', () => {
    const fixed = override.replace(/\$\{SERVICES_API_PORT:-(\d+)\}/, '$1');
    expect(() => addToOverride(fixed, zebra, port)).toThrow(
      /port of services-api .* is not set by SERVICES_API_PORT/,
    );
  });
});

test.each([
  [
    'a list on one line',
    (text: string) => text.replace(/^ {4}volumes:\n( {6}- .*\n)+/m, '    volumes: ["services-api-app:/a"]\n'),
  ],
  [
    'a map on one line',
    (text: string) => text.replace(/^volumes:\n( {2}.*\n)+/m, 'volumes: { services-api-app: {} }\n'),
  ],
])('a file with %s, which nothing can be added to, is refused', (_, write) => {
  const before = write(base);
  expect(before).not.toBe(base);
  const after = addToCompose(before, zebra, sibling);
  expect(() => checkAddition('compose.yaml', { before, after }, names)).toThrow(
    'compose.yaml is written in a way that nothing can be added to',
  );
});
