import { Command, CommanderError } from 'commander';
import type { CommandSettings, Flags } from './config.ts';
import { UsageError } from './errors.ts';
import type { Hooks } from './operation.ts';
import type { Target } from './plan.ts';
import type { Report, ReportNames } from './report.ts';

declare const LOCKSTEP_VERSION: string;

/** What one command does once its settings are read. */
export type Work = (settings: CommandSettings, hooks: Hooks, names: ReportNames) => Promise<Report>;

/** Called with the command's name and the flags given, when a command line is understood. */
export type Start = (name: string, flags: Flags, work: Work) => Promise<void>;

/**
 * Describes the command line. Each command loads what it needs when it runs: `--help` needs no Postgres client.
 *
 * Parsing throws {@link CommanderError}; {@link toUsageError} puts it in our words.
 */
export function describeProgram(start: Start): Command {
  const program = new Command('migrate')
    .description('Migrates a Postgres database by numbered SQL files.')
    .version(typeof LOCKSTEP_VERSION === 'string' ? LOCKSTEP_VERSION : '0.0.0')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .option('--service <name>', 'the service, as shown in messages (MIGRATION_SERVICE)')
    .option('--path <folder>', 'the folder of migrations, ./migrations when unstated (MIGRATIONS_PATH)')
    .option('--database-url <url>', 'URL or key=value pairs; wins over Vault (DATABASE_CONNECTION_STRING)')
    .option('--environment <name>', 'development, staging or production (MIGRATION_ENVIRONMENT)')
    .option('--approach <name>', 'aggressive is the one there is so far (MIGRATION_APPROACH)')
    .option('--aggressive', 'the same as --approach aggressive')
    .option('--timeout <duration>', 'for waiting, Vault, lock and SQL together; 30s (MIGRATION_TIMEOUT)')
    .option('--format <format>', 'text, or json: one document on stdout')
    .addHelpText('after', examples('up', 'status --format json'));
  const add = (usage: string, words: string, shown: string[], prepare: (steps?: string) => Work) => {
    const [name = usage] = usage.split(' ');
    program
      .command(usage)
      .description(words)
      .addHelpText('after', examples(...shown))
      .action((steps: unknown) => {
        const work = prepare(typeof steps === 'string' ? steps : undefined);
        return start(name, flagsOf(program), work);
      });
  };

  add(
    'up [steps]',
    'applies every pending migration, or the next [steps]',
    ['up', 'up 1 --timeout 10s'],
    (steps) =>
      migrating(steps === undefined ? { kind: 'latest' } : { kind: 'up', steps: stepsOf(steps, 'up') }),
  );
  add('down [steps]', 'takes back the last migration, or the last [steps]', ['down', 'down 3'], (steps) =>
    migrating({ kind: 'down', steps: stepsOf(steps ?? '1', 'down') }),
  );
  add('version', 'prints the version of the schema', ['version', 'version --format json'], () => version);
  add('status', 'lists every migration and its state', ['status', 'status --format json'], () => status);
  add('plan', 'shows what up would run; changes nothing', ['plan', 'plan --format json'], () => plan);
  add(
    'recreate',
    'builds the database anew beside the old, which is kept; development only',
    ['recreate --environment development', 'recreate --timeout 60s'],
    () => recreate,
  );
  add(
    'undo',
    'brings back the database that the last recreate kept; development only',
    ['undo --environment development', 'undo --format json'],
    () => undo,
  );
  return program;
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

function migrating(target: Target): Work {
  return async (settings, hooks, names) => {
    const { migrateTo } = await import('./migrate.ts');
    const { reportMigrate } = await import('./report.ts');
    return reportMigrate(await migrateTo(settings, target, hooks), names);
  };
}

const recreate: Work = async (settings, hooks, names) => {
  const { recreateDatabase } = await import('./migrate.ts');
  const { reportMigrate } = await import('./report.ts');
  return reportMigrate(await recreateDatabase(settings, hooks), names);
};

const undo: Work = async (settings, hooks, names) => {
  const { undo: swapBack } = await import('./undo.ts');
  const { reportMigrate } = await import('./report.ts');
  return reportMigrate(await swapBack(settings, hooks), names);
};

const version: Work = async (settings, hooks, names) => {
  const { readVersion } = await import('./inspect.ts');
  const { reportVersion } = await import('./report.ts');
  return reportVersion(await readVersion(settings, hooks), names);
};

const status: Work = async (settings, hooks, names) => {
  const { readStatus } = await import('./inspect.ts');
  const { reportStatus } = await import('./report.ts');
  return reportStatus(await readStatus(settings, hooks), names);
};

const plan: Work = async (settings, hooks, names) => {
  const { readPlan } = await import('./inspect.ts');
  const { reportPlan } = await import('./report.ts');
  return reportPlan(await readPlan(settings, { kind: 'latest' }, hooks), names);
};

function stepsOf(text: string, command: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(
    `expected a number of steps from 1, got ${JSON.stringify(text)}`,
    `migrate ${command} --help`,
  );
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ migrate ${line}`).join('\n')}`;
}

/** `databaseUrl` is commander's name for `--database-url`. */
function flagsOf(program: Command): Flags {
  const given = Object.entries(program.opts<Record<string, string | true>>());
  return Object.fromEntries(
    given.map(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      value,
    ]),
  );
}

export { CommanderError };
