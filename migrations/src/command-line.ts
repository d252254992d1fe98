import { nameOf } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { longName, settingEntries } from './setting-names.ts';

/** golang-migrate's spellings of our flags. Those without an equal here stay as they are, and are refused by name. */
const golangFlags: Readonly<Record<string, string>> = {
  '-path': '--path',
  '-source': '--path',
  '-database': '--database-url',
  '-help': '--help',
  '-version': '--version',
};

/** Flags that take a value, which may be the next word. */
const withValue = new Set(
  settingEntries.flatMap(([, { flag }]) => (flag?.includes('<') === true ? [longName(flag)] : [])),
);

/**
 * Puts a command line in our words: golang-migrate's single-dash flags (`-path`, `-database`, `-source file://…`, with a
 * blank or `=`) become ours, and settings without any command mean `up`, as in `migrate --environment=staging`.
 */
export function toOurWords(args: readonly string[]): string[] {
  const words = args.flatMap((word) => translate(word)).map(withoutScheme);
  const [command, hasSettings] = [findCommand(words), words.some((word) => isSetting(word))];
  const asksForHelp = words.some(
    (word) => word === '--help' || word === '-h' || word === '--version' || word === '-V',
  );
  return command === undefined && hasSettings && !asksForHelp ? [...words, 'up'] : words;
}

function translate(word: string): string[] {
  const [name = '', ...rest] = word.split('=');
  const ours = golangFlags[name];
  if (ours === undefined) return [word];
  return rest.length === 0 ? [ours] : [ours, rest.join('=')];
}

/** golang-migrate names a folder as a URL. */
function withoutScheme(word: string, index: number, words: readonly string[]): string {
  return words[index - 1] === '--path' ? word.replace(/^file:\/\//, '') : word;
}

function isSetting(word: string): boolean {
  const name = word.split('=')[0] ?? '';
  return name === '--aggressive' || (withValue.has(name) && name !== '--format');
}

/** The first word that is neither a flag nor the value of one. */
function findCommand(words: readonly string[]): string | undefined {
  const known = new Set(Object.values(commandGroups).flatMap((group) => group.map(nameOf)));
  return words.find((word, index) => {
    const before = words[index - 1] ?? '';
    return known.has(word) ? true : !word.startsWith('-') && !withValue.has(before);
  });
}
