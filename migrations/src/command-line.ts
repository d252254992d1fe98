import { nameOf } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { UsageError } from './errors.ts';
import { longName, settingEntries } from './setting-names.ts';

/** golang-migrate's flags, with one dash or two, and ours. */
const golangFlags: ReadonlyMap<string, string> = new Map([
  ['path', '--path'],
  ['source', '--path'],
  ['database', '--database-url'],
  ['help', '--help'],
  ['version', '--version'],
]);
/** Of its create: the folder; the rest says how the file is named, which the folder does here. */
const golangCreateFlags: ReadonlyMap<string, string> = new Map([['dir', '--path']]);
/** Without an effect here: the log says all, and files are read at once. */
const idleFlags = new Set(['verbose', 'seq']);
const idleFlagsWithValue = new Set(['prefetch', 'digits', 'tz']);
/** What has no equal here, and what to do. */
const refusedFlags: Readonly<Record<string, readonly [string, string]>> = {
  'lock-timeout': ['a lock is waited for as long as --timeout says', 'migrate up --timeout 30s'],
  format: ['a version is a number, or a time with --timestamp', 'migrate create --help'],
  f: ['nothing is dropped without a copy', 'migrate recreate --help'],
};

/** Settings that take a value, which may be the next word. */
const withValue = new Set(
  settingEntries.flatMap(([, { flag }]) => (flag?.includes('<') === true ? [longName(flag)] : [])),
);
/** The same of the commands' own options. */
const optionsWithValue = new Set(
  Object.values(commandGroups)
    .flat()
    .flatMap(({ options = [] }) => options.flatMap(([flag]) => (flag.includes('<') ? [longName(flag)] : []))),
);

/**
 * Puts a command line in our words: golang-migrate's flags (`-path`, `-database`, `-source file://…`, with a blank or `=`, and
 * those of its `create`), `force -1` and `down -all` become ours, and settings without any command mean `up`, as in
 * `migrate --environment=staging`. Without one `--rollback-to-version 12` is `rollback 12`.
 *
 * @throws {UsageError} for what golang-migrate has and nothing here is
 */
export function toOurWords(args: readonly string[]): readonly string[] {
  const words = rollbackCommand(fromGolang(args));
  const [command, hasSettings] = [findCommand(words), words.some((word) => isSetting(word))];
  const asksForHelp = words.some(
    (word) => word === '--help' || word === '-h' || word === '--version' || word === '-V',
  );
  return command === undefined && hasSettings && !asksForHelp ? ['up', ...words] : words;
}

function fromGolang(args: readonly string[]): string[] {
  const creates = args.includes('create');
  const words: string[] = [];
  let named = false;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    const [, dashes = '', name = '', value] = /^(--?)([a-z][a-z-]*)(?:=(.*))?$/s.exec(word) ?? [];
    const single = dashes === '-';
    const next = () => value ?? args[++at] ?? '';
    const ours = golangFlags.get(name) ?? (creates ? golangCreateFlags.get(name) : undefined);
    const refused = single ? refusedFlags[name] : undefined;
    if (ours !== undefined) words.push(ours, ...(value === undefined ? [] : [value]));
    else if (idleFlags.has(name)) named ||= name === 'seq';
    else if (idleFlagsWithValue.has(name)) next();
    else if (creates && name === 'ext') requireSql(next());
    else if (name === 'all' && args.includes('down')) words.push('all');
    else if (refused !== undefined && (name !== 'format' || creates)) {
      throw new UsageError(`-${name} is golang-migrate’s: ${refused[0]}`, refused[1]);
    } else if (word === '-1' && args[at - 1] === 'force') words.push('none');
    else words.push(word);
  }
  // Without -seq it names files by the time.
  const isGolangs = creates && args.some((word) => /^--?(ext|dir)(=|$)/.test(word));
  if (isGolangs && !named) words.push('--timestamp');
  refuseDrop(words);
  return words.map(toFolder);
}

function requireSql(ext: string): void {
  if (/^\.?sql$/i.test(ext)) return;
  throw new UsageError('-ext: migrations are .sql files here', 'migrate create --help');
}

function refuseDrop(words: readonly string[]): void {
  if (findCommand(words) !== 'drop') return;
  throw new UsageError(
    'drop is golang-migrate’s: here recreate builds the database anew, and keeps the old one',
    'migrate recreate --help',
  );
}

function rollbackCommand(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word) => /^--rollback-to-version(=|$)/.test(word));
  const word = words[at];
  if (word === undefined) return words;
  const joined = word.includes('=');
  const version = joined ? word.slice(word.indexOf('=') + 1) : words[at + 1];
  const others = words.filter((_, index) => index !== at && (joined || index !== at + 1));
  if (version === undefined || version === '' || findCommand(others) !== undefined) return words;
  return ['rollback', version, ...others];
}

/** golang-migrate names a folder as a URL; of any other URL only the scheme is told, as a token may be in it. */
function toFolder(word: string, index: number, words: readonly string[]): string {
  const joined = word.startsWith('--path=');
  if (!joined && words[index - 1] !== '--path') return word;
  const folder = joined ? word.slice('--path='.length) : word;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(folder)?.[1];
  if (scheme !== undefined && scheme.toLowerCase() !== 'file') {
    throw new UsageError(
      `migrations are read from a folder, and not from ${scheme}://`,
      'a copy of the folder, and --path',
    );
  }
  const plain = folder.replace(/^file:\/\//i, '');
  return joined ? `--path=${plain}` : plain;
}

function isSetting(word: string): boolean {
  const name = word.split('=')[0] ?? '';
  return (
    name === '--aggressive' || name === '--require-approval' || (withValue.has(name) && name !== '--format')
  );
}

/** The first word that is neither a flag nor the value of one. */
function findCommand(words: readonly string[]): string | undefined {
  const known = new Set(Object.values(commandGroups).flatMap((group) => group.map(nameOf)));
  return words.find((word, index) => {
    const before = words[index - 1] ?? '';
    return known.has(word)
      ? true
      : !word.startsWith('-') && !withValue.has(before) && !optionsWithValue.has(before);
  });
}
