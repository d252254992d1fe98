import { Command, CommanderError } from 'commander';
import type { CheckRequest } from './check.ts';
import type { CommandSettings, Flags } from './config.ts';
import { UsageError } from './errors.ts';
import { highestVersion } from './file-name.ts';
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
    .option(
      '--database-url <url>',
      'URL or key=value pairs; wins over Vault (DATABASE_CONNECTION_STRING, or its _FILE)',
    )
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
  program
    .command('check')
    .description('succeeds when the schema is there, clean and new enough; changes nothing')
    .option('--at-least <version>', 'the version that the app needs')
    .option('--wait', 'asks again until it holds, within --timeout')
    .addHelpText('after', checkHelp)
    .addHelpText('after', examples('check --at-least 12', 'check --at-least 12 --wait --timeout 60s'))
    .action(({ atLeast, wait }: { atLeast?: string; wait?: true }) => {
      const request = { atLeast: versionOf(atLeast), wait: wait === true };
      return start('check', flagsOf(program), checking(request));
    });
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

function checking(request: CheckRequest): Work {
  return async (settings, hooks, names) => {
    const { checkSchema } = await import('./check.ts');
    const { reportCheck } = await import('./report.ts');
    return reportCheck(await checkSchema(settings, request, hooks), names);
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

function versionOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const version = /^\d{1,64}$/.test(text) ? BigInt(text) : -1n;
  if (version >= 0n && version <= highestVersion) return version;
  throw new UsageError(
    `--at-least: expected a version from 0 to ${highestVersion}, got ${JSON.stringify(text.slice(0, 120))}`,
    'migrate check --help',
  );
}

function stepsOf(text: string, command: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(
    `expected a number of steps from 1, got ${JSON.stringify(text)}`,
    `migrate ${command} --help`,
  );
}

const checkHelp = `
What an app asks before it serves, in any language, with a role that may SELECT from schema_migrations and nothing else.
Without --at-least the schema must be at the newest version of the files in --path; any clean version does where
no folder is named and ./migrations holds none.

It ends with 0 when that holds; with 3 when the schema is absent, older or closed to the role, or Postgres is not there
in time; with 5 when it is dirty. Without --wait the schema is looked at once; Postgres itself is waited for all the same.
With Vault, VAULT_SECRET_PATH names the app's entry, as in secret/data/shop/app.`;

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
