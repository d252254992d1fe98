import { rules } from './rules.ts';

/**
 * The rules of squawk, the best known linter for Postgres migrations, that no rule of ours has the name of, and why.
 *
 * Source: the pages of its documentation, one for each rule (https://github.com/sbdchd/squawk/tree/master/docs/docs).
 */
const explained: Readonly<Record<string, string>> = {
  'application-rollback-compatibility':
    'What breaks the running app is a risk of its own here (see the column “risk”), counted in the score of a migration.',
  'ban-add-column':
    'A column that may be null or has a constant default harms nobody; the harmful ones have rules: required-column, volatile-default, generated-column-rewrites, serial-column-rewrites.',
  'ban-alter-function-options':
    'Changes how a function runs, not what an app calls it by; SECURITY DEFINER without a search_path is definer-search-path.',
  'ban-alter-view-options':
    'Changes how a view is checked, not its columns; rights are rights-taken and row-security-changed.',
  'ban-replace-view-function':
    'CREATE OR REPLACE keeps name, arguments and columns, which is what an app relies on; Postgres refuses others.',
  'ban-set-default':
    'A new default is for new rows alone and locks for an instant; what relies on its absence cannot be seen.',
  'require-lock-timeout': 'The strategy sets it for every migration, and the step is tried again.',
  'require-statement-timeout': 'The deadline of the run is set on the server for every statement.',
  'require-timeout-settings': 'Both are set by the strategy; a file need not.',
  'syntax-error': 'Is syntax here: the parser is Postgres’ own, so it is the error the server would give.',
  'transaction-nesting':
    'Is transaction-control here: a migration is a transaction, unless the file makes several of it.',
  'ban-uncommitted-transaction':
    'Is transaction-control here; what a file leaves open is committed by the migrator.',
};

/** Each rule of squawk with the codes of ours that cover it, or the reason why none does; by name. */
export function squawkTable(): {
  readonly name: string;
  readonly codes: readonly string[];
  readonly words: string;
}[] {
  const names = new Set([...Object.keys(explained), ...rules.flatMap(({ squawk = [] }) => squawk)]);
  return [...names].sort().map((name) => ({
    name,
    codes: rules.filter(({ squawk = [] }) => squawk.includes(name)).map(({ code }) => code),
    words: explained[name] ?? '',
  }));
}
