import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfigFile } from './config-file.ts';
import { ConfigFileError } from './errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string | Buffer) {
  const path = join(folder, 'migrate.yaml');
  writeFileSync(path, text);
  return readConfigFile(path);
}

function failure(text: string | Buffer): ConfigFileError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigFileError) return error;
    throw error;
  }
  throw new Error('was read');
}

test('plain values are read as text, whatever YAML makes of them', () => {
  expect(read('service: shop\ntimeout: 30\nbackup: false\n# nothing\npath: ~\n').values).toEqual({
    service: 'shop',
    timeout: '30',
    backup: 'false',
  });
  expect(read('').values).toEqual({});
  expect(read('\uFEFFservice: shop\r\n').values).toEqual({ service: 'shop' });
});

test('an unknown key is named with the one that was meant, a nested value with its key', () => {
  expect(
    read('lockTimout: 3s\nservice: [a, b]\n__proto__: {a: 1}\n').mistakes.map(({ name, rule }) =>
      `${name}: ${rule}`.replaceAll(folder, '‹folder›'),
    ),
  ).toEqual([
    'lockTimout: unknown setting; did you mean lockTimeout? (from ‹folder›/migrate.yaml)',
    'service: expected one value (from ‹folder›/migrate.yaml)',
    '__proto__: unknown setting (from ‹folder›/migrate.yaml)',
  ]);
});

test('what is no mapping of settings is refused with its place', () => {
  expect(failure('service: "open\nx').evidence[0]).toMatch(/migrate\.yaml:\d+:\d+ {2}/);
  expect(failure('- a\n- b\n').message).toMatch(/holds no settings$/);
  expect(failure('just words').message).toMatch(/holds no settings$/);
  expect(failure(Buffer.from([0xff, 0xfe, 0x41])).message).toMatch(/is not UTF-8$/);
  expect(failure('a: &a [x]\nb: *a\n').message).toMatch(/uses an alias/);
  expect(failure(`# ${'x'.repeat(300_000)}`).message).toMatch(/over 256 KiB$/);
  expect(() => readConfigFile(join(folder, 'absent.yaml'))).toThrow(ConfigFileError);
  expect(() => readConfigFile(folder)).toThrow(/is no file$/);
});
