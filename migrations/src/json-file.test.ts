import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readDependencyFile } from './dependencies/dependency-file.ts';
import { readEnvironments } from './environments/environments-file.ts';
import { ConfigFileError } from './errors.ts';
import { readJsonFile } from './json-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-json-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Undefined when refused as it should be: with a place, or with the file's name. Any other error is a defect. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    expect(error.exitStatus).toBe(2);
    expect(error.message).not.toBe('');
    return undefined;
  }
}

const words = fc.constantFrom(
  ...'needs production staging development windows days from to zone monday 22:00 24:00 Europe/Berlin approach careful timeout 1s __proto__ constructor toString 000016 16 99999999999999999999 services-api@11 a@1 a@ @1'.split(
    ' ',
  ),
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    words,
    fc.constantFrom(null, true, 0, -1, 1e300, '', '\u0000', '\ud800', '\u202e'),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(words, tie('any'), { maxKeys: 4 }),
  ),
}))['any'];
const text = fc.oneof(
  value.map((one) => JSON.stringify(one)),
  fc.string({ unit: 'binary', maxLength: 80 }),
  value.map((one) => JSON.stringify(one).slice(0, -1)),
  value.map((one) => `\ufeff${JSON.stringify(one, undefined, 2).replaceAll('\n', '\r\n')}`),
);

describe('whatever stands in the file', () => {
  it('dependencies.json is read as versions that need versions, or refused', () => {
    fc.assert(
      fc.property(text, (content) => {
        writeFileSync(join(folder, 'dependencies.json'), content);
        const file = attempt(() => readDependencyFile(folder));
        for (const [version, needs] of file?.needs ?? []) {
          expect(typeof version).toBe('bigint');
          for (const need of needs) expect(need.label).toMatch(/^[a-z0-9][a-z0-9._-]*@\d+$/i);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('environments.json is read as settings and windows, or refused', () => {
    fc.assert(
      fc.property(text, (content) => {
        writeFileSync(join(folder, 'environments.json'), content);
        const file = attempt(() => readEnvironments(folder));
        for (const [environment, { values, windows }] of file ?? []) {
          expect(['development', 'staging', 'production']).toContain(environment);
          for (const one of Object.values(values)) expect(typeof one).toBe('string');
          for (const { days, from, to } of windows) expect(days.length > 0 && from !== to).toBe(true);
        }
      }),
      { numRuns: 600 },
    );
  });
});

describe('a JSON file', () => {
  const read = (content: string | Buffer) => {
    writeFileSync(join(folder, 'x.json'), content);
    return readJsonFile(join(folder, 'x.json'));
  };

  it('gives the place of each value', () => {
    const file = read('\ufeff{\r\n  "a": [\r\n    1,\r\n    { "b": 2 }\r\n  ]\r\n}');
    expect(file?.placeOf('a', 1, 'b')).toMatch(/x\.json:4:12$/);
    expect(file?.placeOf('nothing')).toMatch(/x\.json$/);
  });

  it.each([
    ['{ "a": 1, "a": 2 }', 'names a key twice'],
    ['{ a: 1 }', 'is no JSON'],
    ['# no JSON\n1', 'is no JSON'],
    ['', 'is no JSON'],
    [' '.repeat(300_000), 'is over 256 KiB'],
    [Buffer.from([0xff, 0xfe, 0x7b]), 'cannot be read'],
  ])('is refused when it is wrong: %#', (content, reason) => {
    expect(() => read(content)).toThrow(reason);
  });

  it('that is a folder is refused, and one that is not there is none', () => {
    expect(() => readJsonFile(folder)).toThrow('is no file');
    expect(readJsonFile(join(folder, 'nowhere.json'))).toBeUndefined();
  });
});
