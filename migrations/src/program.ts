import { Command as CommanderCommand, CommanderError, Option } from 'commander';
import { type Command, nameOf, type Options, type Work } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { UsageError } from './errors.ts';
import { type SettingName, settingEntries } from './setting-names.ts';
import type { Flags } from './setting-sources.ts';

declare const LOCKSTEP_VERSION: string;

/** Called when a command line is understood, with the settings given as flags, and what to do. */
export type Start = (request: Request, flags: Flags, work: Work) => Promise<void>;

/** Which command, and whether it needs a database. */
export interface Request {
  readonly command: Command;
  readonly offline: boolean;
  /** Whether it was asked to change nothing. */
  readonly isDryRun: boolean;
}

/**
 * Describes the command line for `words`. Parsing throws {@link CommanderError}; {@link toUsageError} puts it in our words.
 *
 * To describe every command takes a run that has nothing to do a tenth of its time: whoever names one is told of no other.
 */
export function describeProgram(words: readonly string[], start: Start): CommanderCommand {
  const program = new CommanderCommand('migrate')
    .description('Migrates a Postgres database by numbered SQL files.')
    .version(typeof LOCKSTEP_VERSION === 'string' ? LOCKSTEP_VERSION : '0.0.0')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .addHelpText('after', examplesText(['up', 'status --format json']));
  for (const [key, setting] of settingEntries) addSetting(program, key, setting);
  const wanted = commandsFor(words);
  for (const [heading, command] of wanted) addCommand(program, heading, command, start);
  return program;
}

/** The commands that are named, each with its heading; all of them for who names none or wants help. */
function commandsFor(words: readonly string[]): (readonly [string, Command])[] {
  const all = Object.entries(commandGroups).flatMap(([heading, commands]) =>
    commands.map((command) => [heading, command] as const),
  );
  const named = all.filter(([, command]) => words.includes(nameOf(command)));
  const wantsHelp = words.some((word) => /^(-h|--help)/.test(word));
  return named.length === 0 || wantsHelp ? all : named;
}

/** In our words: no `error:`, and the suggestion on the same line. */
export function toUsageError(error: CommanderError): UsageError {
  if (error.code === 'commander.help') return new UsageError('no command given');
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\s*\(Did you mean (.*)\?\)/s, '; did you mean $1?')
    .replace(/^too many arguments.*$/s, 'too many arguments');
  return new UsageError(message.trim());
}

function addSetting(program: CommanderCommand, key: string, setting: SettingName): void {
  const { flag, words = '', variables: [variable] = [], group } = setting;
  if (flag === undefined) return;
  const named = variable === undefined ? words : `${words} (${variable})`;
  program.addOption(new Option(flag, named).helpGroup(`${group ?? 'Options'}:`));
  if (key === 'approach') {
    const option = new Option('--aggressive', 'the same as --approach aggressive');
    program.addOption(option.helpGroup(`${group ?? 'Options'}:`));
  }
  if (key === 'approval') {
    const option = new Option('--require-approval', 'the same as --approval prompt, unless it is stricter');
    program.addOption(option.helpGroup(`${group ?? 'Options'}:`));
  }
}

function addCommand(program: CommanderCommand, heading: string, command: Command, start: Start): void {
  const { usage, words, options = [], help, examples } = command;
  const added = program.command(usage).description(words).helpGroup(heading);
  for (const [flags, meaning] of options) added.option(flags, meaning);
  if (help !== undefined) added.addHelpText('after', help);
  added.addHelpText('after', examplesText(examples));
  added.action((...given: unknown[]) => {
    const argument = typeof given[0] === 'string' ? given[0] : undefined;
    const options = { ...added.opts<Options>(), ...sharedWith(program, added) };
    const work = command.prepare(argument, options);
    const request = {
      command,
      offline: command.offline?.(options) === true,
      isDryRun: options['dryRun'] === true,
    };
    return start(request, flagsOf(program), work);
  });
}

/** A flag that is a setting and a command's own, such as `--strict`, the program takes: the command hears of it all the same. */
function sharedWith(program: CommanderCommand, command: CommanderCommand): Options {
  const own = new Set(command.options.map((option) => option.attributeName()));
  const given = Object.entries(program.opts<Record<string, string | true>>());
  return Object.fromEntries(given.filter(([name]) => own.has(name)));
}

function examplesText(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ migrate ${line}`).join('\n')}`;
}

/** `databaseUrl` is commander's name for `--database-url`. */
function flagsOf(program: CommanderCommand): Flags {
  const given = Object.entries(program.opts<Record<string, string | true>>());
  return Object.fromEntries(
    given.map(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      value,
    ]),
  );
}

export { CommanderError };
