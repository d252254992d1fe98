import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Migration } from '../migration.ts';
import { toSqlFile } from '../sql-file.ts';
import { parseSql } from '../statements.ts';
import { type Analysis, analyse } from './analyse.ts';
import { toAnnotations } from './github.ts';
import { loadParser } from './parser.ts';
import { toSarif } from './sarif.ts';

let parse: Awaited<ReturnType<typeof loadParser>>;
beforeAll(async () => {
  parse = await loadParser();
});

function migrationOf(up: string, down?: string): Migration {
  const file = (name: string, sql: string) => toSqlFile(name, sql, parseSql(sql).statements);
  return {
    version: 1n,
    label: '1',
    description: 'x',
    up: file('1_x.up.sql', up),
    down: down === undefined ? undefined : file('1_x.down.sql', down),
  };
}

const judge = (up: string, down?: string): Analysis => analyse(migrationOf(up, down), parse);
/** `code@line:column`, with what is allowed in brackets. */
function brief({ findings }: Analysis): string[] {
  return findings
    .filter(({ code }) => code !== 'down-missing')
    .map(({ code, place, allowed }) => {
      const at = place === undefined ? '' : `@${place.line}:${place.column}`;
      return `${code}${at}${allowed === undefined ? '' : ` (${allowed})`}`;
    });
}

describe('syntax', () => {
  it.each([
    ['select 1;\nselect a frm whre;\n', 'syntax@2:14'],
    ["-- é\r\nselect 'é€😀', frm where;", 'syntax@2:24'],
    ['create tabel x ();', 'syntax@1:8'],
    [`select ${'('.repeat(20_000)}1${')'.repeat(20_000)};`, 'syntax@1:'],
  ])('is found at its line and column: %j', (sql, expected) => {
    expect(brief(judge(sql)).join(' ')).toContain(expected);
  });

  it('of one statement hides no finding of another', () => {
    expect(brief(judge('selec 1; drop table a; selec 2;'))).toEqual([
      'syntax@1:1',
      'syntax@1:24',
      'drop-table@1:10',
    ]);
  });

  it('cannot be allowed', () => {
    expect(brief(judge('-- lockstep: allow syntax: I know better\nselec 1;'))).toEqual([
      'syntax@2:1',
      'suppression-unused@1:1',
    ]);
  });
});

describe('what the same file makes', () => {
  it('is nobody else’s, so its locks are no finding', () => {
    const sql = `create table a (id bigint);
      create index a_by_id on a (id);
      alter table a add constraint positive check (id > 0), alter column id set not null;
      alter table public.a add primary key (id);
      update a set id = 1;`;
    expect(brief(judge(sql))).toEqual([]);
    expect(judge(sql).risk.statements.flatMap(({ locks }) => locks)).toEqual([]);
  });

  it('is not so when it may have been there before', () => {
    expect(
      brief(judge('create table if not exists a (id bigint); create index a_by_id on a (id);')),
    ).toContain('index-blocks-writers@1:43');
  });
});

describe('a comment', () => {
  it('allows a rule for the statement after it, with its reason', () => {
    expect(
      brief(judge('-- lockstep: allow drop-table: nobody reads it\ndrop table a;\ndrop table b;')),
    ).toEqual(['drop-table@2:1 (nobody reads it)', 'drop-table@3:1']);
  });

  it('allows it for the whole file', () => {
    expect(
      brief(
        judge('-- lockstep: allow-file drop-table because nobody reads them\ndrop table a; drop table b;'),
      ),
    ).toEqual(['drop-table@2:1 (nobody reads them)', 'drop-table@2:15 (nobody reads them)']);
  });

  it.each([
    ['-- lockstep: allow drop-table\ndrop table a;', 'suppression-without-reason@1:1'],
    ['-- lockstep: allow drop-tabel: x\ndrop table a;', 'suppression-unknown@1:1'],
    ['drop table a;\n-- lockstep: allow drop-table: too late\nselect 1;', 'suppression-unused@2:1'],
    ["select '\n-- lockstep: allow drop-table: in a string\n'; drop table a;", 'drop-table@3:4'],
  ])('that is wrong allows nothing: %j', (sql, expected) => {
    const found = brief(judge(sql));
    expect(found).toContain(expected);
    expect(found.some((line) => /^drop-table@\S+$/.test(line))).toBe(true);
  });
});

describe('a down file', () => {
  it.each([
    ['create table a (); create index i on a (x);', 'drop table a;', []],
    ['create table s.a (); create view v as select 1;', 'drop view v;', ['down-leaves']],
    [
      'alter table a add column b int, add constraint c check (b > 0), add constraint d check (e > 0);',
      'alter table a drop column b;',
      ['down-leaves'],
    ],
    ['alter table a drop column b;', '-- nothing comes back', []],
    ['alter table a drop column b;', 'select 1;', ['down-lacks']],
    ['alter table a drop column b;', 'alter table a add column b int;', []],
    ['alter table a rename to b;', 'alter table b rename to a;', []],
    ['alter table a rename to b;', 'select 1;', ['down-leaves', 'down-lacks']],
    ['create function f() returns int language sql as $$select 1$$;', 'drop function f();', []],
    [
      'create type t as enum (); create trigger r before insert on a execute function f();',
      'drop trigger r on a; drop type t;',
      [],
    ],
    ['do $$ begin execute $x$ create table z () $x$; end $$; create table a ();', 'select 1;', []],
    ['drop table a; create table a (b int);', 'select 1;', []],
  ])('must undo its up file: %s | %s', (up, down, expected) => {
    const found = judge(up, down).findings.map(({ code }) => code);
    expect(found.filter((code) => code.startsWith('down-'))).toEqual(expected);
  });
});

describe('the score', () => {
  it.each([
    ['create table a (id bigint primary key);', 'low'],
    ['alter table a add column b int;', 'low'],
    ['create index concurrently i on a (b);', 'low'],
    ['create index i on a (b);', 'medium'],
    ['alter table a drop column b;', 'high'],
    ['update a set b = 1; update c set d = 2;', 'medium'],
    ['alter table a alter column b type bigint;', 'high'],
  ])('of %s is %s', (sql, level) => {
    expect(judge(sql, '-- nothing').risk.level).toBe(level);
  });

  it('names the lock of each table that was there before', () => {
    const { risk } = judge(
      'alter table b add constraint f foreign key (a_id) references a (id) not valid;\nupdate a set x = 1 where y;',
      '',
    );
    expect(risk.statements.map(({ locks }) => locks)).toEqual([
      [
        { table: 'a', mode: 'SHARE ROW EXCLUSIVE' },
        { table: 'b', mode: 'SHARE ROW EXCLUSIVE' },
      ],
      [{ table: 'a', mode: 'ROW EXCLUSIVE' }],
    ]);
  });
});

describe('whatever is written', () => {
  const words = fc.constantFrom(
    ...'create drop alter table index column add constraint check foreign key references not null valid default unique primary concurrently if exists cascade update set where delete from truncate select 1 a b.c "q é" ( ) , ; = $$x$$ \'s\' -- /* */ do call grant revoke on to rename type using enum value before after policy view function trigger lockstep: allow'.split(
      ' ',
    ),
    '\n',
    '-- lockstep: allow drop-table: x\n',
    '😀',
    '\u202e',
    '\ud800',
  );
  const sql = fc.oneof(
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join(' ')),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );

  it('is judged without a crash, and every place lies in the file', () => {
    fc.assert(
      fc.property(sql, sql, (up, down) => {
        const { findings, risk } = judge(up, down);
        const lines = { '1_x.up.sql': up, '1_x.down.sql': down };
        for (const { path, place, message } of findings) {
          expect(message).not.toContain('{}');
          if (place === undefined) continue;
          const text = lines[path as keyof typeof lines].split(/\r\n|\r|\n/);
          expect(place.line).toBeLessThanOrEqual(text.length);
          expect(place.column).toBeLessThanOrEqual([...(text[place.line - 1] ?? '')].length + 1);
        }
        expect(risk.score).toBeGreaterThanOrEqual(0);
        JSON.parse(toSarif(findings));
        expect(
          toAnnotations(findings)
            .split('\n')
            .every((line) => line === '' || line.startsWith('::')),
        ).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('parses as the server would have it: what Postgres refuses is found, what it takes is not', () => {
    for (const good of [
      'select 1',
      'merge into a using b on true when matched then do nothing',
      'create table a (b int generated always as (1) virtual)',
    ]) {
      expect(parse({ text: good })).toHaveProperty('tree');
    }
    for (const bad of ['select 1 from', 'create table', 'alter table a add', '', ';', 'select 1; select 2']) {
      expect(parse({ text: bad })).toHaveProperty('mistake');
    }
  });
});
