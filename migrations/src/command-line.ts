import { nameOf } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { longName, settingEntries } from './setting-names.ts';

/** golang-migrate's spellings of our flags. Those without an equal here stay as they are, and are refused by name. */
const golangFlags: ReadonlyMap<string, string> = new Map([
  ['-path', '--path'],
  ['-source', '--path'],
  ['-database', '--database-url'],
  ['-help', '--help'],
  ['-version', '--version'],
]);

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
 * Puts a command line in our words: golang-migrate's single-dash flags (`-path`, `-database`, `-source file://…`, with a
 * blank or `=`) become ours, and settings without any command mean `up`, as in `migrate --environment=staging`. Without one
 * `--rollback-to-version 12` is `rollback 12`.
 */
export function toOurWords(args: readonly string[]): readonly string[] {
  const words = rollbackCommand(args.flatMap((word) => translate(word)).map(withoutScheme));
  const [command, hasSettings] = [findCommand(words), words.some((word) => isSetting(word))];
  const asksForHelp = words.some(
    (word) => word === '--help' || word === '-h' || word === '--version' || word === '-V',
  );
  return command === undefined && hasSettings && !asksForHelp ? ['up', ...words] : words;
}

function translate(word: string): string[] {
  const [name = '', ...rest] = word.split('=');
  const ours = golangFlags.get(name);
  if (ours === undefined) return [word];
  return rest.length === 0 ? [ours] : [ours, rest.join('=')];
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

/** golang-migrate names a folder as a URL. */
function withoutScheme(word: string, index: number, words: readonly string[]): string {
  return words[index - 1] === '--path' ? word.replace(/^file:\/\//, '') : word;
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
