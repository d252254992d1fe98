import { describe, expect, test } from 'vitest';
import { parseFileName } from './file-name.ts';

describe('F2.2 a name that golang-migrate takes is taken as it is', () => {
  test.each([
    ['000007_add_index.up.sql', 7n, '000007', 'add_index', 'up'],
    ['7_a.down.sql', 7n, '7', 'a', 'down'],
    ['0_a.up.sql', 0n, '0', 'a', 'up'],
    ['20240131120000_Add-Index_2.up.sql', 20240131120000n, '20240131120000', 'Add-Index_2', 'up'],
    ['9223372036854775807_a.up.sql', 9223372036854775807n, '9223372036854775807', 'a', 'up'],
    ['1__up.up.sql', 1n, '1', '_up', 'up'],
    ['1_v6.0_x.up.sql', 1n, '1', 'v6.0_x', 'up'],
    ['1_two words.down.sql', 1n, '1', 'two words', 'down'],
    ['1_f-o_ob+ar.up.sql', 1n, '1', 'f-o_ob+ar', 'up'],
    ['1_a.b.up.sql', 1n, '1', 'a.b', 'up'],
    ['1_.up.sql', 1n, '1', '', 'up'],
    ['1_x.sql.up.sql', 1n, '1', 'x.sql', 'up'],
    ['1_x.up.sql.down.sql', 1n, '1', 'x.up.sql', 'down'],
    ['1_a.down.up.sql', 1n, '1', 'a.down', 'up'],
    ['1_a.up.pg.sql', 1n, '1', 'a', 'up'],
    ['1_a.up.SQL', 1n, '1', 'a', 'up'],
    ['1_größe.up.sql', 1n, '1', 'größe', 'up'],
    ['1_日本.up.sql', 1n, '1', '日本', 'up'],
    ['1_👩‍💻.up.sql', 1n, '1', '👩‍💻', 'up'],
    ['1_it\'s "$x" %s.up.sql', 1n, '1', 'it\'s "$x" %s', 'up'],
    ['1_a\u00a0b.up.sql', 1n, '1', 'a\u00a0b', 'up'],
  ])('%s is version %i', (name, version, label, description, direction) => {
    expect(parseFileName(name)).toEqual({ version, label, description, direction });
  });
});

const expected = 'expected {version}_{description}.up.sql or .down.sql';

test.each([
  ['000001-add-users.up.sql', '; did you mean 000001_add-users.up.sql?'],
  ['000001_a.UP.SQL', '; did you mean 000001_a.up.sql?'],
  ['000001_a.Down.sql', '; did you mean 000001_a.down.sql?'],
  ['000001_a.dwon.sql', '; did you mean 000001_a.down.sql?'],
  ['000001_a.dn.sql', '; did you mean 000001_a.down.sql?'],
  ['000001.a.down.sql', '; did you mean 000001_a.down.sql?'],
  ['V1__init.sql', '; did you mean 1_init.up.sql?'],
  ['U1__init.sql', '; did you mean 1_init.down.sql?'],
  [' 1_a.up.sql', '; did you mean 1_a.up.sql?'],
  ['000001.up.sql', '; a description is missing'],
  ['add_users.up.sql', '; the version is missing'],
  ['add_users.down.sql', '; the version is missing'],
  ['-1_a.up.sql', '; did you mean 1_a.up.sql?'],
  ['1\u00a0_a.up.sql', '; did you mean 1_a.up.sql?; its name holds U+00A0 (no-break space) behind "1"'],
  [
    '\ufeff1_a.up.sql',
    '; did you mean 1_a.up.sql?; its name holds U+FEFF (byte order mark) at its beginning',
  ],
])('%j is refused: %s', (name, advice) => {
  expect(parseFileName(name)).toEqual({ verdict: 'refused', rule: `${expected}${advice}` });
});

test.each([
  ['000001_add_users.sql', 1n, '; did you mean 000001_add_users.up.sql?'],
  ['2-b.sql', 2n, '; did you mean 2_b.up.sql?'],
  ['000001_a.b.sql', 1n, '; did you mean 000001_a_b.up.sql?'],
  ['000001_init.data.sql', 1n, '; did you mean 000001_init_data.up.sql?'],
  ['000001.sql', 1n, '; a description is missing'],
  ['1_größe.sql', 1n, '; did you mean 1_größe.up.sql?'],
])('F2.4 %j is of another layout: %s', (name, version, advice) => {
  expect(parseFileName(name)).toEqual({ verdict: 'plain', rule: `${expected}${advice}`, version });
});

describe('F10.1 a hint never turns a down into an up', () => {
  test.each([
    ['1_init_down.sql', '; did you mean 1_init.down.sql?'],
    ['1_init-DOWN.sql', '; did you mean 1_init.down.sql?'],
    ['1_init_undo.sql', '; did you mean 1_init.down.sql?'],
    ['1_init.rollback.sql', '; did you mean 1_init.down.sql?'],
    ['1_init.revert.sql', '; did you mean 1_init.down.sql?'],
    ['1_init.d.sql', '; did you mean 1_init.down.sql?'],
    ['1_down.sql', '; a description is missing'],
    // Which way these go is not told by their names.
    ['1_down_init.sql', ''],
    ['1_rollback_of_orders.sql', ''],
    ['1_undo-index.final.sql', ''],
  ])('%s', (name, advice) => {
    expect(parseFileName(name)).toMatchObject({ rule: `${expected}${advice}` });
  });

  test('of any name with such a word, and of Flyway’s undo', () => {
    const names = ['down', 'undo', 'rollback', 'revert', 'downgrade'].flatMap((word) => [
      `1_a_${word}.sql`,
      `1_${word}_a.sql`,
      `1_a.${word}.sql`,
      `001-${word}.sql`,
      `V1__${word}.sql`,
      `V1__a_${word}.sql`,
    ]);
    for (const name of [...names, 'U1__a.sql', 'u2_a.sql']) {
      const parsed = parseFileName(name);
      expect('rule' in parsed && parsed.rule, name).not.toContain('.up.sql?');
    }
  });
});

test.each(['notes.sql', 'schema.sql', 'structure dump.sql', 'seed.sql', 'afterMigrate.sql', 'a1_b.sql'])(
  'F2.3 %s is no migration',
  (name) => {
    const rule = 'is no migration by its name, and passed over';
    expect(parseFileName(name)).toEqual({ verdict: 'stray', rule });
  },
);

test('a repeatable migration of Flyway is refused', () => {
  const rule = 'is a repeatable migration of Flyway, which has no counterpart here';
  expect(parseFileName('R__views.sql')).toEqual({ verdict: 'refused', rule });
});

test('a version beyond bigint is refused', () => {
  const rule = 'the version is above 9223372036854775807, the highest that fits a bigint';
  expect(parseFileName('9223372036854775808_a.up.sql')).toEqual({ verdict: 'refused', rule });
  expect(parseFileName(`${'9'.repeat(200)}_a.up.sql`)).toEqual({ verdict: 'refused', rule });
});

test('a name with control characters or broken bytes is refused', () => {
  const rule = 'its name holds a control character, and the name is recorded';
  for (const name of ['1_\u001b[31m.up.sql', '1_a\nb.up.sql', '1_\t.up.sql', '1_\u0085.up.sql'])
    expect(parseFileName(name)).toEqual({ verdict: 'refused', rule });
  expect(parseFileName('1_\ufffd.up.sql')).toEqual({ verdict: 'refused', rule: 'its name is not UTF-8' });
});
