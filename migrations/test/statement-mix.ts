import { pick, type Random } from './random.ts';

/** What the statements of {@link statementMix} need to be there. */
export const groundwork = `
  create table journal (a int, b text, "end" int, "case" int);
  create domain atomic as int`;

/**
 * Makes an SQL text of one to five units, each of one to four statements that Postgres accepts, with blank space and
 * comments between their tokens.
 *
 * @param unique makes the names of what is created its own
 * @returns the text, and of how many statements it was put together
 */
export function statementMix(random: Random, unique: number): { text: string; count: number } {
  let text = '';
  let count = 0;
  const units = 1 + Math.floor(random() * 5);
  for (let unit = 0; unit < units; unit++) {
    for (const statement of pick(random, kinds)(random, `${unique}_${unit}`)) {
      // Each `~` of a statement is a place where blank space and comments may stand.
      text += `~${statement}~;`.replaceAll('~', () => gap(random));
      if (random() < 0.2) text += `${gap(random)};`;
      count += 1;
    }
  }
  return { text: text + gap(random), count };
}

function gap(random: Random): string {
  const some = Array.from({ length: Math.floor(random() * 3) }, () => pick(random, blanks));
  return ` ${some.join('')} `;
}

const blanks = [
  ' ',
  '\n',
  '\r\n',
  '\t\f',
  "/* ; ' */",
  '/* /* ; */ $$ */',
  '-- ; \' $$ "\n',
  '--\r',
  '/**/',
  '/*/**/*/',
];

/** Constants of every kind of quote, most with a semicolon inside. */
const texts = [
  "';'",
  "''''",
  "'a''b;'",
  "'\\;'",
  "E'\\\\'",
  "E'\\';'",
  "e'a''\\\\'",
  "E'a'\n 'b\\';'",
  "E'a' -- c;'\n\n'\\';'",
  "'a;'\r\n'b'",
  "U&'\\0041;'",
  "u&'d\\0061t''a'",
  "$$;'$$",
  '$a$ ; $$ ; $b$ ; $a$',
  '$_1$;$_1$',
  '$é$;$é$',
  "'é;😀'",
  "'end; $$'",
];

const values = [
  ...texts,
  "N'a;b'",
  "B'101'",
  "x'1F'",
  '1',
  '1.5',
  '.5',
  '1e5',
  '1E-5',
  '2-1',
  '2 - -1',
  '2*-1',
  '2+-+1',
  '4/2',
  '4|/*;*/2',
  '2-/*;*/1',
  '2--;\n-1',
  "'a'/**/||/*;*/'b'",
  "'x;'::text",
  "((';'))",
  'ARRAY[1,2]',
  "CASE WHEN true THEN ';' END",
  'case 1 when 2 then case when true then 3 end end',
  '(SELECT 1 AS ";")',
  '1 AS a$b$c',
  '1 AS é$$',
  '1 AS "a""$$;"',
  '1 end',
  '1 AS begin',
  '1 commit',
];

type Kind = (random: Random, unique: string) => string[];

const kinds: readonly Kind[] = [
  (random) => [
    `SELECT~${Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random, values)).join('~,~')}`,
  ],
  (random, unique) => [
    `create~table~t${unique}~(a int primary key,~b text default~${pick(random, texts)}~, check (b <>~'x;'))`,
    `comment on table~t${unique} is~${pick(random, texts)}`,
    `insert into t${unique} values (1, ~${pick(random, texts)}~) , (2, default)~returning *`,
    `update t${unique} set b = case when a = 1 then ${pick(random, texts)}~else b end~returning b`,
  ],
  (random, unique) => [
    `create view v${unique} as~select~case when true then~${pick(random, texts)}~end as "a;b"`,
    `select * from v${unique}`,
  ],
  (random, unique) => [
    `do~$do$~declare x text := $q$;$q$;~begin~perform~${pick(random, texts)};~insert into journal values (${unique.length}, ${pick(random, texts)});~end;~$do$`,
    `select count(*) from journal`,
  ],
  // The tag must not be one that a constant inside it uses.
  (random, unique) => [
    `create function f${unique}() returns trigger~language plpgsql~as~$f$~begin if new.a > 0 then~new.b := ${pick(random, texts)}; end if;~return new; end;~$f$`,
    `create table t${unique} (a int, b text)`,
    `create trigger "g;" before insert on~t${unique} for each row~execute function f${unique}()`,
    `insert into t${unique} values (1)~returning b`,
  ],
  (random, unique) => [
    `create table t${unique} (a int)`,
    `create~or replace~rule "r;"~as on insert to t${unique}~do~also~(insert into journal values (new.a, ${pick(random, texts)});~update journal set b = ${pick(random, texts)} where a is null;~)`,
    `insert into t${unique} values (${unique.length})`,
  ],
  (random, unique) => [
    `create~function~f${unique}(x int default case when true then 1 end) returns text~begin~atomic~${pick(random, bodies)}select~case when x > 0 then~case x when 1 then ${pick(random, texts)}~end~else (select 'y' end) end;~end`,
    `select f${unique}(),~f${unique}(2)`,
  ],
  (random, unique) => [
    `CREATE~OR~REPLACE~PROCEDURE~p${unique}(begin atomic,~t text = ${pick(random, texts)})~LANGUAGE SQL~BEGIN/* ; */ATOMIC~${pick(random, bodies)}INSERT INTO journal VALUES (begin, t);~END`,
    `call p${unique}(1)`,
  ],
  (random, unique) => [
    `create function f${unique}(begin atomic = 1) returns text~return~case when true then ${pick(random, texts)} end`,
    `create function g${unique}()~returns text language sql as~$g$~select ${pick(random, texts)};~select f${unique}(); $g$`,
    `select g${unique}()`,
  ],
];

/** Statements of a BEGIN ATOMIC body, in which `end` and `case` are names as well. */
const bodies = [
  '',
  ';~',
  'select 1 end;~',
  'select 1~case;~select 2;~',
  'select j.end, j.case + 1, case when j.end = 1 then j.case end from journal~j;~',
  'select a as end from journal group by a;~',
  'select (select 1 case),~case when true then 2 end end;~',
  'update journal set "end" = case when a = 0 then 1 end where false;~;',
  "select ';', E'\\';', $$;$$;~",
];
