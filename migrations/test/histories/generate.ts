import { pick, type Random, seeded } from '../random.ts';
import type { Files } from '../support.ts';

/** A folder of migrations, as another tool may have left it. */
export interface History {
  readonly name: string;
  readonly files: Files;
  /** What the file system has to hold beside it, and no migrator runs. */
  readonly others?: Files;
}

/** What the files before one have made. */
interface Schema {
  tables: number;
  readonly columns: string[];
  partitioned: number;
  enums: number;
  labels: number;
  indexes: number;
  procedures: number;
}

/** A file: text, or statements that may stand in one transaction or in several. */
type Step = (random: Random, schema: Schema, file: number) => string;

/** Makes a history of eight to twelve files; the same for the same seed. */
export function generateHistory(seed: number): History {
  const random = seeded(seed);
  const schema: Schema = {
    tables: 0,
    columns: [],
    partitioned: 0,
    enums: 0,
    labels: 0,
    indexes: 0,
    procedures: 0,
  };
  const count = 8 + Math.floor(random() * 5);
  const files: Record<string, string> = {
    [nameOf(random, 0)]: `create table log (file int, step int);\n${makeTable(random, schema)};\n`,
  };
  for (let file = 1; file < count; file++) {
    files[nameOf(random, file)] = pick(random, kinds)(random, schema, file);
    if (random() < 0.3) files[downOf(random, file)] = pick(random, ['', '-- nothing\n', 'select 1;\n']);
  }
  return { name: `of seed ${seed}`, files };
}

const descriptions = [
  'x',
  'add_t',
  'v6.0_x',
  'two words',
  'f-o_ob+ar',
  'a.b',
  '',
  'x.sql',
  'Ünïcode',
  '_',
  "it's",
];

function nameOf(random: Random, file: number): string {
  const version = String(file * 10 + 1);
  const padded = random() < 0.3 ? version.padStart(3 + Math.floor(random() * 4), '0') : version;
  return `${padded}_${pick(random, descriptions)}.up.sql`;
}

/** Under another description and padding than its up file has. */
function downOf(random: Random, file: number): string {
  return nameOf(random, file).replace('.up.', '.down.');
}

const kinds: readonly Step[] = [
  ...Array<Step>(6).fill((random, schema, file) => shape(random, statements(random, schema, file))),
  (random) => pick(random, ['', '-- nothing here\n', '/* nor here */ ;; \n', '\ufeff', '  \n\n']),
  (_random, _schema, file) => `do $$ begin insert into log values (${file}, 1); commit; end $$;`,
  (_random, _schema, file) =>
    `do $x$\nbegin\n  for i in 1..3 loop\n    insert into log values (${file}, i);\n    if i = 2 then rollback; else commit; end if;\n  end loop;\nend\n$x$ language plpgsql;\n`,
  (random, schema) =>
    `create index concurrently i${++schema.indexes} on ${pick(random, schema.columns).replace('.', ' (')});`,
  (_random, schema) =>
    `create table p${++schema.partitioned} (id int) partition by range (id);
create index on p${schema.partitioned} (id);
create table p${schema.partitioned}_1 partition of p${schema.partitioned} for values from (0) to (9);`,
  (_random, schema) => (schema.partitioned === 0 ? 'vacuum log;' : `reindex table p${schema.partitioned};`),
  (_random, schema, file) =>
    `create procedure c${++schema.procedures}() language plpgsql as $$ begin insert into log values (${file}, 7); commit; end $$;`,
  (random, schema, file) => {
    const marker = pick(random, markers);
    return schema.procedures === 0
      ? `${marker}\ninsert into log values (${file}, 8);`
      : `${marker}\ncall c${schema.procedures}();`;
  },
];

const markers = [
  '-- lockstep: no-transaction',
  '-- migrate:up transaction:false',
  '-- +goose NO TRANSACTION\n-- +goose Up',
  '-- +migrate Up notransaction',
];

function statements(random: Random, schema: Schema, file: number): string[] {
  return Array.from({ length: 1 + Math.floor(random() * 4) }, (_, step) =>
    statement(random, schema, file, step),
  );
}

function statement(random: Random, schema: Schema, file: number, step: number): string {
  const choice = random();
  if (choice < 0.3) return `insert into log values (${file}, ${step})`;
  if (choice < 0.5) return makeTable(random, schema);
  if (choice < 0.7) {
    const [table = ''] = pick(random, schema.columns).split('.');
    const column = `c${schema.columns.length}`;
    schema.columns.push(`${table}.${column}`);
    return `alter table ${table} add column ${column} ${pick(random, ['int', 'text default $$;commit;$$', "text default 'it''s; begin;'"])}`;
  }
  if (choice < 0.85)
    return `create index i${++schema.indexes} on ${pick(random, schema.columns).replace('.', ' (')})`;
  return `create function f${++schema.indexes}() returns int language plpgsql as $f$ begin return ${step}; end; $f$`;
}

function makeTable(random: Random, schema: Schema): string {
  const table = `t${++schema.tables}`;
  schema.columns.push(`${table}.id`);
  return `create table ${table} (id int${pick(random, ['', ' primary key', ' not null', ' default 7'])})`;
}

/** Writes statements with transaction control around and between them, so that all of them remain. */
function shape(random: Random, all: readonly string[]): string {
  const half = Math.ceil(all.length / 2);
  const [one, two] = [all.slice(0, half), all.slice(half)].map((some) =>
    some.map((each) => `${each};\n`).join(''),
  );
  const gone = 'create table gone (id int);\ninsert into log values (0, 0);\n';
  return pick(random, [
    `${one}${two}`,
    `begin;\n${one}${two}commit;\n`,
    `BEGIN WORK;\n${one}${two}END;`,
    `set lock_timeout = '2s';\nbegin;\n${one}${two}commit;\n`,
    `set lock_timeout = '2s'; set statement_timeout = '1min';\nstart transaction;\n${one}${two}commit;\nreset lock_timeout;\n`,
    `begin;\n${one}commit;\nbegin;\n${two}commit;\n`,
    `begin isolation level serializable;\n${one}${two}commit;\n`,
    `start transaction isolation level repeatable read, read write;\n${one}${two}end transaction;\n`,
    `${one}${two}commit;\n`,
    `${one}begin;\n${two}commit;\n`,
    `${one}commit;\n${two}commit;\n`,
    `begin;\n${gone}rollback;\n${one}${two}`,
    `${gone}abort;\nbegin;\n${one}commit;\n${two}`,
    `begin;\n${one}commit and chain;\n${two}commit;\n`,
    `begin;\n${gone}rollback and chain;\n${one}${two}commit;\n`,
    `begin;\nsavepoint a;\n${gone}rollback to a;\n${one}${two}release a;\ncommit;\n`,
    `begin read only;\nselect 1;\ncommit;\n${one}${two}`,
    `rollback;\n${one}${two}`,
    `begin;\nbegin;\n${one}${two}commit;\n`,
    `begin;\n${one}${two}`,
  ]);
}
