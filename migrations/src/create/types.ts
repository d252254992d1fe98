import { quoteLiteral } from '../identifiers.ts';
import { define, type NewColumn, parseColumns } from './columns.ts';
import { CreateRefusedError } from './errors.ts';
import type { Names } from './names.ts';
import { renaming } from './renaming.ts';
import type { Template, Values } from './template.ts';

/** The options of `create`, as given. */
export type Given = Readonly<Record<string, string | undefined>>;

/** A kind of migration that `create` writes. */
export interface CreateType {
  readonly words: string;
  /** Options it cannot do without. */
  readonly needs: readonly string[];
  templates(given: Given): readonly Template[];
  values(given: Given, names: Names, description: string): Values;
}

const one = (name: string, up: string, down: string): readonly Template[] => [{ name, suffix: '', up, down }];

/** Every type, by the word of `--type`. */
export const createTypes: Readonly<Record<string, CreateType>> = {
  empty: {
    words: 'two files to fill',
    needs: [],
    templates: () => one('empty', '-- {{purpose}}\n\n', '-- Takes back {{description}}.\n\n'),
    values: () => ({}),
  },
  table: {
    words: 'a table',
    needs: [],
    templates: () =>
      one('table', '-- {{purpose}}\ncreate table {{table}} (\n{{columns}}\n);\n', 'drop table {{table}};\n'),
    values: (given, names, description) => {
      const table =
        given['on'] === undefined ? names.table(tableIn(description), 'the table') : tableOf(given, names);
      const columns = parseColumns(given['column'] ?? 'id:bigint:pk', names);
      return { table, columns: tableLines(bare(table), columns) };
    },
  },
  column: {
    words: 'columns of a table',
    needs: ['on', 'column'],
    templates: () =>
      one(
        'column',
        '-- {{purpose}}\nalter table {{table}}\n{{additions}};\n',
        'alter table {{table}}\n{{removals}};\n',
      ),
    values: (given, names) => {
      const columns = parseColumns(given['column'] ?? '', names);
      const wrong = columns.find(
        (column) => column.primary || column.unique || (column.required && column.default === undefined),
      );
      if (wrong !== undefined) {
        const why =
          wrong.required && !wrong.primary && !wrong.unique
            ? 'a column that must not be null needs a default=… on a table with rows'
            : 'a key is built by --type index --unique and --type constraint';
        throw new CreateRefusedError(`--column: ${wrong.name} cannot be added like that`, [why]);
      }
      return {
        table: tableOf(given, names),
        additions: columns.map((column) => `  add column ${define(column)}`).join(',\n'),
        removals: columns
          .map(({ name }) => `  drop column ${name}`)
          .reverse()
          .join(',\n'),
      };
    },
  },
  index: {
    words: 'an index, built while the app runs',
    needs: ['on', 'column'],
    templates: () =>
      one(
        'index',
        '-- {{purpose}}\n-- Alone in its file: it cannot run in a transaction.\ncreate {{unique}}index concurrently {{index}} on {{table}} ({{columns}});\n',
        'drop index concurrently {{index_path}};\n',
      ),
    values: (given, names) => {
      const table = tableOf(given, names);
      const columns = (given['column'] ?? '')
        .split(',')
        .map((name) => names.identifier(name.trim(), '--column'));
      const index = names.identifier(
        shorten(`${bare(table)}_by_${columns.join('_')}`),
        'the name of the index',
      );
      return {
        table,
        columns: columns.join(', '),
        index,
        index_path: beside(table, index),
        unique: given['unique'] === undefined ? '' : 'unique ',
      };
    },
  },
  constraint: {
    words: 'a CHECK or a foreign key: added without reading rows, validated by a second migration',
    needs: ['on'],
    templates: () => [
      {
        name: 'constraint',
        suffix: '',
        up: '-- {{purpose}}\n-- Not valid: new rows are checked from now on, and no table is read.\nalter table {{table}}\n  add constraint {{constraint}} {{definition}} not valid;\n',
        down: 'alter table {{table}} drop constraint {{constraint}};\n',
      },
      {
        name: 'constraint-validate',
        suffix: '_validate',
        up: '-- Reads the old rows under a lock that lets reads and writes go on.\nalter table {{table}} validate constraint {{constraint}};\n',
        down: '-- Postgres cannot take a validation back: the constraint is made anew, as it was.\nalter table {{table}}\n  drop constraint {{constraint}},\n  add constraint {{constraint}} {{definition}} not valid;\n',
      },
    ],
    values: (given, names, description) => {
      const table = tableOf(given, names);
      const { check, references } = given;
      if ((check === undefined) === (references === undefined)) {
        throw new CreateRefusedError('--type constraint needs either --check or --references');
      }
      if (check !== undefined) {
        return {
          table,
          constraint: names.identifier(
            shorten(`${bare(table)}_${description}`),
            'the name of the constraint',
          ),
          definition: `check (${names.condition(check, '--check')})`,
        };
      }
      const [, base = '', key = ''] = /^\s*([^()]+)\(([^()]+)\)\s*$/.exec(references ?? '') ?? [];
      const column = names.identifier(given['column'] ?? '', '--column');
      const target = names.table(base.trim(), '--references');
      return {
        table,
        constraint: names.identifier(shorten(`${bare(table)}_${column}_fkey`), 'the name of the constraint'),
        definition: `foreign key (${column}) references ${target} (${names.identifier(key.trim(), '--references')})`,
      };
    },
  },
  'enum-value': {
    words: 'a value of an enum type',
    needs: ['enum', 'value'],
    templates: () =>
      one(
        'enum-value',
        '-- {{purpose}}\n-- If it is not there yet: going down leaves it.\nalter type {{enum}} add value if not exists {{value}}{{position}};\n',
        '-- Postgres drops no enum value: {{value}} stays, and nothing uses it any more.\n',
      ),
    values: (given, names) => ({
      enum: names.table(given['enum'] ?? '', '--enum'),
      value: literal(given['value'] ?? '', '--value'),
      position: given['after'] === undefined ? '' : ` after ${literal(given['after'], '--after')}`,
    }),
  },
  rename: {
    words: 'a column gets another name: expand, fill, and (once no app uses the old one) contract',
    needs: ['on', 'column', 'to'],
    templates: () => renaming,
    values: (given, names) => {
      const table = tableOf(given, names);
      const [column, ...others] = parseColumns(given['column'] ?? '', names);
      if (column === undefined || others.length > 0)
        throw new CreateRefusedError('--column: expected the one column to rename, as name:type');
      const to = names.identifier(given['to'] ?? '', '--to');
      const trigger = names.identifier(
        shorten(`${bare(table)}_${column.name}_is_${to}`),
        'the name of the trigger',
      );
      return { table, column: column.name, type: column.type, to, trigger, function: beside(table, trigger) };
    },
  },
  data: {
    words: 'a change of rows, in batches that are a migration each',
    needs: ['on', 'set'],
    templates: (given) => {
      const batches = batchesOf(given);
      return Array.from({ length: batches }, (_, index) => ({
        name: 'data',
        suffix: batches === 1 ? '' : `_${index + 1}_of_${batches}`,
        up: `-- {{purpose}}\n-- One batch is one transaction: its rows are locked while it runs, and no others.\nupdate {{table}} set {{set}}\nwhere ({{where}})${batches === 1 ? '' : `\n  and abs(hashtextextended({{key}}::text, 0) % ${batches}) = ${index}`};\n`,
        down: '-- The old values are not kept, so nothing is taken back.\n',
      }));
    },
    values: (given, names) => ({
      table: tableOf(given, names),
      set: assignments(given['set'] ?? '', names),
      where: given['where'] === undefined ? 'true' : names.condition(given['where'], '--where'),
      key: names.identifier(given['key'] ?? 'id', '--key'),
    }),
  },
  function: {
    words: 'a function to fill',
    needs: ['function'],
    templates: () =>
      one(
        'function',
        "-- {{purpose}}\ncreate function {{function}}() returns void\nlanguage sql\nset search_path = ''\nas $$\n  select;\n$$;\n",
        'drop function {{function}}();\n',
      ),
    values: (given, names) => ({ function: names.table(given['function'] ?? '', '--function') }),
  },
  extension: {
    words: 'an extension of Postgres',
    needs: ['extension'],
    templates: () =>
      one(
        'extension',
        '-- {{purpose}}\ncreate extension {{extension}};\n',
        'drop extension {{extension}};\n',
      ),
    values: (given) => {
      const name = given['extension'] ?? '';
      if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name))
        throw new CreateRefusedError(`--extension: ${JSON.stringify(name)} is no name of an extension`);
      return { extension: /-/.test(name) ? `"${name}"` : name };
    },
  },
};

function tableOf(given: Given, names: Names): string {
  return names.table(given['on'] ?? '', '--on');
}

/** `orders` of `create_orders`, `add_orders_table` and `orders`. */
function tableIn(description: string): string {
  return description.replace(/^(create|add|new)_(?=.)/, '').replace(/(?<=.)_table$/, '');
}

/** The table's name without its schema. */
function bare(table: string): string {
  return table.split('.').at(-1) ?? table;
}

/** A name in the schema of the table. */
function beside(table: string, name: string): string {
  return table.includes('.') ? `${table.split('.')[0]}.${name}` : name;
}

/** Postgres cuts names at 63 bytes; ours have one byte a letter. */
function shorten(name: string): string {
  return name.slice(0, 63).replace(/_+$/, '');
}

function tableLines(table: string, columns: readonly NewColumn[]): string {
  const primary = columns.filter((column) => column.primary).map(({ name }) => name);
  const identity =
    primary.length === 1
      ? columns.find(({ name, type }) => name === primary[0] && /^(bigint|int8)$/i.test(type))
      : undefined;
  return [
    ...columns.map(
      (column) =>
        `  ${define(column)}${column === identity && column.default === undefined ? ' generated always as identity' : ''}`,
    ),
    ...(primary.length === 0
      ? []
      : [`  constraint ${shorten(`${table}_pkey`)} primary key (${primary.join(', ')})`]),
    ...columns
      .filter(({ unique }) => unique)
      .map(({ name }) => `  constraint ${shorten(`${table}_${name}_unique`)} unique (${name})`),
  ].join(',\n');
}

/** `status = 'new', total = 0`, each read by the parser. */
function assignments(text: string, names: Names): string {
  const match = /^\s*([a-z_][a-z0-9_]*)\s*=(.*)$/s.exec(text);
  if (match === null)
    throw new CreateRefusedError('--set: expected column = expression', [JSON.stringify(text)]);
  return `${names.identifier(match[1] ?? '', '--set')} = (${names.value(match[2] ?? '', '--set')})`;
}

function literal(text: string, option: string): string {
  if (text === '' || /\p{C}/u.test(text) || Buffer.byteLength(text) > 63) {
    throw new CreateRefusedError(`${option}: expected 1 to 63 bytes without control characters`, [
      JSON.stringify(text.slice(0, 80)),
    ]);
  }
  return quoteLiteral(text).trim();
}

function batchesOf(given: Given): number {
  const text = given['batches'] ?? '1';
  const batches = Number(text);
  if (/^\d{1,3}$/.test(text) && batches >= 1 && batches <= 100) return batches;
  throw new CreateRefusedError('--batches: expected a number from 1 to 100', [JSON.stringify(text)]);
}
