import { expect, test } from 'vitest';
import { parseFileName } from './file-name.ts';

test.each([
  ['000007_add_index.up.sql', 7n, '000007', 'add_index', 'up'],
  ['7_a.down.sql', 7n, '7', 'a', 'down'],
  ['0_a.up.sql', 0n, '0', 'a', 'up'],
  ['20240131120000_Add-Index_2.up.sql', 20240131120000n, '20240131120000', 'Add-Index_2', 'up'],
  ['9223372036854775807_a.up.sql', 9223372036854775807n, '9223372036854775807', 'a', 'up'],
  ['1__up.up.sql', 1n, '1', '_up', 'up'],
])('%s is version %i', (name, version, label, description, direction) => {
  expect(parseFileName(name)).toEqual({ version, label, description, direction });
});

const expected = 'expected {version}_{description}.up.sql or .down.sql';

test.each([
  ['000001_add users.up.sql', 'did you mean 000001_add_users.up.sql?'],
  ['000001_add_users.sql', 'did you mean 000001_add_users.up.sql?'],
  ['000001-add-users.up.sql', 'did you mean 000001_add-users.up.sql?'],
  ['000001_a.UP.SQL', 'did you mean 000001_a.up.sql?'],
  ['000001_a.Down.sql', 'did you mean 000001_a.down.sql?'],
  ['000001_a.dwon.sql', 'did you mean 000001_a.down.sql?'],
  ['000001.a.down.sql', 'did you mean 000001_a.down.sql?'],
  ['000001_a.b.sql', 'did you mean 000001_a_b.up.sql?'],
  ['000001_init.data.sql', 'did you mean 000001_init_data.up.sql?'],
  ['V1__init.sql', 'did you mean 1_init.up.sql?'],
  [' 1_a.up.sql', 'did you mean 1_a.up.sql?'],
  ['1_größe.up.sql', 'did you mean 1_gr_e.up.sql?'],
  ['000001.up.sql', 'a description of letters A to Z, digits, _ or - is missing'],
  ['000001_.up.sql', 'a description of letters A to Z, digits, _ or - is missing'],
  ['000001.sql', 'a description of letters A to Z, digits, _ or - is missing'],
  ['1_日本.up.sql', 'a description of letters A to Z, digits, _ or - is missing'],
  ['add_users.up.sql', 'the version is missing'],
  ['-1_a.up.sql', 'did you mean 1_a.up.sql?'],
])('%j: %s', (name, advice) => {
  expect(parseFileName(name)).toBe(`${expected}; ${advice}`);
});

test('a version beyond bigint is refused', () => {
  const rule = 'the version is above 9223372036854775807, the highest that fits a bigint';
  expect(parseFileName('9223372036854775808_a.up.sql')).toBe(rule);
  expect(parseFileName(`${'9'.repeat(200)}_a.up.sql`)).toBe(rule);
});
