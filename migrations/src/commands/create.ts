import type { Command, Options } from '../command.ts';
import { UsageError } from '../errors.ts';
import { textOf } from './arguments.ts';

const given = [
  'on',
  'column',
  'to',
  'check',
  'references',
  'enum',
  'value',
  'after',
  'set',
  'where',
  'key',
  'batches',
  'function',
  'extension',
] as const;

export const create: Command = {
  usage: 'create <name>',
  words: 'writes a new migration, up and down, from a template; asks no server',
  options: [
    [
      '--type <type>',
      'table, column, index, constraint, enum-value, rename, data, function, extension or empty; default: empty',
    ],
    ['--on <table>', 'table or schema.table; of a table, the one in <name> when not given'],
    [
      '--column <columns>',
      'name:type, and :pk :not-null :unique :default=…; commas between (index: names alone)',
    ],
    ['--unique', 'of an index'],
    ['--check <condition>', 'of a constraint'],
    ['--references <table(column)>', 'of a constraint: the foreign key of the one --column'],
    ['--enum <type>', 'of an enum-value'],
    ['--value <text>', 'of an enum-value'],
    ['--after <text>', 'of an enum-value: the value it follows'],
    ['--to <name>', 'of a rename: the new name of the one --column'],
    ['--set <column = expression>', 'of data'],
    ['--where <condition>', 'of data: which rows'],
    ['--key <column>', 'of data: the key that divides batches; default: id'],
    ['--batches <number>', 'of data: so many migrations, each a part of the rows; default: 1'],
    ['--function <name>', 'of a function'],
    ['--extension <name>', 'of an extension'],
    ['--needs <service@version>', 'of another service, applied before; commas between'],
    ['--timestamp', 'a time as version, also where numbers are used'],
    ['--dry-run', 'prints the files instead of writing them'],
  ],
  help: `
The version is the next one in the padding of the folder. A template of your own, templates/<type>.up.sql and .down.sql in the
folder of migrations, takes the place of ours; {{placeholders}} stand for what was given.
A rename is three migrations. After the first, deploy apps that use the new name; the third may run when no old app does.`,
  examples: [
    'create create_orders --type table --column id:bigint:pk,note:text:not-null',
    'create index_orders --type index --on orders --column note --path services-api/migrations',
    "create total_positive --type constraint --on orders --check 'total > 0'",
  ],
  offline: () => true,
  prepare: (argument, options) => {
    const name = argument ?? '';
    const request = requestOf(options);
    return async (settings, _hooks, names) => {
      if (settings.layout !== 'versioned') {
        throw new UsageError(
          'create writes pairs of files, and the layout alphabetical has none',
          'migrate create --help',
        );
      }
      const { create: write } = await import('../create/create.ts');
      const { reportCreated } = await import('../create/create-report.ts');
      const created = await write({ folder: settings.path, description: name, ...request });
      return reportCreated(created, request.dryRun, names);
    };
  },
};

function requestOf(options: Options) {
  const values = Object.fromEntries(given.map((name) => [name, textOf(options[name])]));
  return {
    type: textOf(options['type']) ?? 'empty',
    given: { ...values, unique: options['unique'] === true ? 'true' : undefined },
    timestamp: options['timestamp'] === true,
    dryRun: options['dryRun'] === true,
    needs: (textOf(options['needs']) ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== ''),
  };
}
