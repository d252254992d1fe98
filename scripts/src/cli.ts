import { renderFailure } from '@lockstep/foundation';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { explain } from './checkout/system-failure.ts';
import type { GlobalOptions, Terminal } from './commands/context.ts';
import { forgetEmpty } from './environment.ts';
import { UsageError } from './errors.ts';
import { splitWords } from './words.ts';

declare const LOCKSTEP_VERSION: string;

/** Sets the exit status; the process ends when nothing is left to wait for. */
type Settle = (status: number) => void;

const statuses = `
Exit status: 0 done; 1 a service or migration failed; 2 usage or configuration; 3 a pre-flight check failed or no engine
can run; 7 not confirmed, or the stack is another folder's; 130 and 143 interrupted. run, migrate, psql and shell pass on the status
of the program they run.

A stack that belongs to another folder is not started, changed, stopped or deleted: a person is asked; ADOPT=1 takes it
over unasked, and so does YES=1 when that folder is gone.`;

function build(terminal: Terminal, settle: Settle): Command {
  const program = new Command('stack')
    .description('Starts, stops and looks after the local development stack of compose.yaml.')
    .version(LOCKSTEP_VERSION)
    .addOption(
      new Option('--engine <name>', 'what runs the stack; auto takes the first that can')
        .choices(['auto', 'docker', 'podman', 'embedded'])
        .default('auto')
        .env('ENGINE'),
    )
    .option(
      '--project-directory <folder>',
      'the folder of compose.yaml (default: this one or the nearest above)',
    )
    .addHelpText('after', statuses)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'stack: ')) })
    .showHelpAfterError('  try: make help')
    .enablePositionalOptions()
    .exitOverride();
  addStartAndStop(program, terminal);
  addLooking(program, terminal, settle);
  addRunning(program, terminal, settle);
  addAuthoring(program, terminal, settle);
  addGrowing(program, terminal);
  addImages(program, terminal);
  return program;
}

function addStartAndStop(program: Command, terminal: Terminal): void {
  program
    .command('up')
    .description('start what is not running or has changed, and wait until all is ready')
    .addHelpText(
      'after',
      `
One-shots (the bootstrap, the init containers) run again at every up. When one fails, its own words are printed, the
services that wait for it stay down, the others run, and the exit status is 1; fix it and run up again.
Ctrl-C starts nothing more and leaves running what is ready (embedded: stops what is not). Secrets missing from .env are
generated into it; nothing that is there is changed.

Examples:
  stack up
  stack --engine embedded up`,
    )
    .action(async () => (await import('./commands/up.ts')).up(program.opts<GlobalOptions>(), terminal));
  program
    .command('watch')
    .description('up, and again whenever a migration, a program or a compose file changes')
    .addHelpText(
      'after',
      `
A new migration is applied, an app whose sources changed is rebuilt and replaced, and nothing else is touched. A failure
is printed and the next change tries again. Ctrl-C ends it; the stack runs on.

Examples:
  stack watch
  stack --engine docker watch`,
    )
    .action(async () => (await import('./commands/watch.ts')).watch(program.opts<GlobalOptions>(), terminal));
  program
    .command('down')
    .description('stop the stack; volumes stay')
    .option('-v, --volumes', 'DELETE the volumes too (all databases and credentials)', false)
    .addHelpText(
      'after',
      '\nWith --volumes it asks first; YES=1 answers.\n\nExamples:\n  stack down\n  stack down --volumes',
    )
    .action(async (options: { volumes: boolean }) =>
      (await import('./commands/down.ts')).down({ ...program.opts<GlobalOptions>(), ...options }, terminal),
    );
  program
    .command('reset')
    .description('stop the stack, DELETE its volumes (all databases and credentials), and start it anew')
    .addHelpText(
      'after',
      '\n.env and its secrets are kept. It asks first; YES=1 answers.\n\nExamples:\n  stack reset',
    )
    .action(async () => (await import('./commands/down.ts')).reset(program.opts<GlobalOptions>(), terminal));
}

function addLooking(program: Command, terminal: Terminal, settle: Settle): void {
  const format = () =>
    new Option('--format <format>', 'how to print it')
      .choices(['text', 'json'])
      .default('text')
      .env('FORMAT');
  program
    .command('status')
    .description('show what each service is at')
    .addOption(format())
    .option('--timeline', 'show instead what the last start spent its time on, and who waited for whom')
    .addHelpText(
      'after',
      '\nWith json, standard output holds one document and nothing else. TIMELINE=1 is --timeline.\n\nExamples:\n  stack status --format json\n  stack status --timeline',
    )
    .action(async (options: { format: 'text' | 'json'; timeline?: boolean }) =>
      (await import('./commands/status.ts')).status(
        { ...program.opts<GlobalOptions>(), ...options },
        terminal,
      ),
    );
  program
    .command('doctor')
    .description('look at all the stack needs from this machine, and at its compose files; say what to do')
    .addOption(format())
    .addHelpText(
      'after',
      `
Exit status 0 when some engine can run the stack, else 3; what is found in the files does not change it. With json,
standard output holds one document and nothing else.

Examples:
  stack doctor
  stack doctor --format json`,
    )
    .action(async (options: { format: 'text' | 'json' }) =>
      settle(
        await (await import('./commands/doctor.ts')).doctor(
          { ...program.opts<GlobalOptions>(), ...options },
          terminal,
        ),
      ),
    );
  program
    .command('why')
    .description('show again why a service failed when it was last started')
    .argument('[service]', 'which one; what it waits for is shown too (default: all that fail)')
    .addOption(format())
    .addHelpText(
      'after',
      `
What a failed service printed is kept in .lockstep/failures: it can be read after its container is gone, and while the
engine and Postgres are down. A failure that was fixed is shown only when its service is named.

Examples:
  stack why
  stack why services-api`,
    )
    .action(async (name: string | undefined, options: { format: 'text' | 'json' }) =>
      settle(
        (await import('./commands/why.ts')).why(
          name,
          { ...program.opts<GlobalOptions>(), ...options },
          terminal,
        ),
      ),
    );
  program
    .command('logs')
    .description('print the output of the services')
    .argument('[services...]', 'which ones (default: all)')
    .option('-f, --follow', 'go on with what is added', false)
    .option('--tail <lines>', 'only the last lines of each', wholeNumber)
    .addHelpText(
      'after',
      `
Lines of several services come in the order of time, each after its time (UTC) and its service; those of one service as
they are. What was printed can be read after down, too.

Examples:
  stack logs postgres --tail 50
  stack logs -f`,
    )
    .action(async (services: string[], options: { follow: boolean; tail?: number }) =>
      (await import('./commands/logs.ts')).logs(
        services,
        { ...program.opts<GlobalOptions>(), follow: options.follow, tail: options.tail },
        terminal,
      ),
    );
}

function addRunning(program: Command, terminal: Terminal, settle: Settle): void {
  const service = () => new Option('--service <name>', 'only this service (default: all)').env('SERVICE');
  program
    .command('run')
    .description('run a one-shot service in the foreground, with other arguments when given')
    .argument('<service>', 'as named in compose.yaml')
    .argument('[args...]', 'replace its command')
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  stack run services-api-migrations status')
    .action(async (name: string, args: string[]) =>
      settle(await (await import('./commands/run.ts')).run(name, args, program.opts<GlobalOptions>())),
    );
  program
    .command('migrate')
    .description("run a command of the migrator: in a service's init container, or in each in turn")
    .argument('<words...>', 'the command and its arguments')
    .addOption(service())
    .addOption(
      new Option('--format <format>', 'how to print the result')
        .choices(['text', 'json'])
        .default('text')
        .env('FORMAT'),
    )
    .addHelpText(
      'after',
      `
down, goto and rollback say what they would revert and ask, recreate and undo what they replace; YES=1 answers. Where
nobody can answer they end with 7.

Examples:
  stack migrate status
  stack migrate --service services-api down 1`,
    )
    .allowUnknownOption()
    .action(async (words: string[], options: { service?: string; format: 'text' | 'json' }) =>
      settle(
        await (await import('./commands/run.ts')).migrate(
          words,
          { ...program.opts<GlobalOptions>(), service: options.service, format: options.format },
          terminal,
        ),
      ),
    );
  program
    .command('psql')
    .description("open psql on a service's database, with the credentials Vault has for it")
    .argument('[args...]', 'for psql')
    .addOption(service())
    .addOption(new Option('--role <role>', 'as whom').choices(['migrator', 'app']).default('migrator'))
    .passThroughOptions()
    .addHelpText(
      'after',
      `
With --url as the first argument: prints the database's URL as it is reached from this machine, with the password only
when --show-password follows.

Examples:
  stack psql --service services-api
  stack psql --service services-api -- -c 'select 1'
  stack psql --service services-api -- --url`,
    )
    .action(async (args: string[], options: { service?: string; role: 'migrator' | 'app' }) =>
      settle(
        await (await import('./commands/psql.ts')).psql(
          options.service,
          args,
          { ...program.opts<GlobalOptions>(), role: options.role },
          terminal,
        ),
      ),
    );
  program
    .command('shell')
    .description("open a shell inside a service's container, or run a command there")
    .argument('[words...]', 'the command and its arguments (default: a shell)')
    .addOption(new Option('--service <name>', 'whose container').env('SERVICE'))
    .passThroughOptions()
    .addHelpText(
      'after',
      `
On the embedded engine, which has no containers: a shell of your own in the project's folder, with the environment the
service gets; secrets are in it as the paths of their files.

Examples:
  stack shell --service services-api
  stack shell --service postgres -- id -u`,
    )
    .action(async (words: string[], options: { service?: string }) =>
      settle(
        await (await import('./commands/shell.ts')).shell(
          options.service,
          words,
          program.opts<GlobalOptions>(),
        ),
      ),
    );
}

function addAuthoring(program: Command, terminal: Terminal, settle: Settle): void {
  const service = (words: string) => new Option('--service <name>', words).env('SERVICE');
  const format = () =>
    new Option('--format <format>', 'how to print the result').default('text').env('FORMAT');
  program
    .command('generate')
    .description('write a new migration of a service, up and down')
    .argument('<name>', 'what it does, as in create_orders')
    .argument('[args...]', 'for migrate create')
    .addOption(service('whose migrations'))
    .addOption(new Option('--type <type>', 'what it is made from; see migrate create --help').env('TYPE'))
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  stack generate --service services-api --type table create_orders')
    .action(async (name: string, args: string[], options: { service?: string; type?: string }) =>
      settle(
        await (await import('./commands/authoring.ts')).generate(name, args, {
          ...program.opts<GlobalOptions>(),
          service: options.service,
          type: options.type,
        }),
      ),
    );
  program
    .command('validate')
    .description("judge migration files by Postgres' own parser and our rules; asks no engine")
    .argument('[args...]', 'for migrate validate')
    .addOption(service('only this service (default: all)'))
    .addOption(format())
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  stack validate --service services-api -- --strict')
    .action(async (args: string[], options: { service?: string; format: string }) =>
      settle(
        await (await import('./commands/authoring.ts')).validate(args, {
          ...program.opts<GlobalOptions>(),
          service: options.service,
          format: options.format,
        }),
      ),
    );
  program
    .command('deps')
    .description("show in which order the services' migrations run; asks no engine")
    .argument('[args...]', 'for migrate deps')
    .addOption(format())
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  stack deps -- --mermaid')
    .action(async (args: string[], options: { format: string }) =>
      settle(
        await (await import('./commands/authoring.ts')).deps(args, {
          ...program.opts<GlobalOptions>(),
          ...options,
        }),
      ),
    );
  program
    .command('docs')
    .description("write each service's page of its schema and migrations, migrations/docs/schema.md")
    .addOption(service('only this service (default: all)'))
    .addHelpText('after', '\nExamples:\n  stack docs --service services-api')
    .action(async (options: { service?: string }) =>
      settle(
        await (await import('./commands/authoring.ts')).docs(
          { ...program.opts<GlobalOptions>(), service: options.service },
          terminal,
        ),
      ),
    );
  program
    .command('exec', { hidden: true })
    .description('run a program in the folder of the project; for make, whose ARGS pass through no shell')
    .argument('<program>')
    .argument('[args...]')
    .passThroughOptions()
    .action(async (name: string, args: string[]) =>
      settle(await (await import('./commands/authoring.ts')).inForeground(name, args, process.cwd())),
    );
}

function addGrowing(program: Command, terminal: Terminal): void {
  program
    .command('service')
    .description('add a service to the stack: its folder, its init container, app and port, its policies')
    .argument('<name>', 'lower-case letters and digits joined by single hyphens, such as billing-api')
    .option('--dry-run', 'only say what would be written', false)
    .addHelpText(
      'after',
      `
The new service has a route, a migration and tests of its own, and takes its place in compose.yaml from the first service
that is there. What is there already stays as it is: a second run changes nothing, and one after an interrupted run
writes the rest. Nothing is started.

Examples:
  stack service billing-api
  stack service --dry-run billing-api`,
    )
    .action(async (name: string, options: { dryRun: boolean }) =>
      (await import('./commands/service.ts')).addService(
        name,
        { ...program.opts<GlobalOptions>(), ...options },
        terminal,
      ),
    );
}

function addImages(program: Command, terminal: Terminal): void {
  program
    .command('images')
    .description(
      "build the project's images on docker or podman, from the programs that are built on this machine",
    )
    .option(
      '--offline',
      'first build stand-ins for postgres, vault and node, without a registry (env: OFFLINE)',
      false,
    )
    .option(
      '--with-npm',
      'with --offline: also an image with npm, for the Dockerfile to build from sources',
      false,
    )
    .addHelpText(
      'after',
      `
An image that is made of the same as before is left alone. The images of others are, in this order: what POSTGRES_IMAGE,
VAULT_IMAGE and NODE_IMAGE name, in the environment or .env; the official one when the engine has it; the stand-in when
the engine has that; the official one, pulled. Stand-ins are copies of this machine's programs and need Linux.

Examples:
  stack images
  stack --engine podman images --offline
  NODE_IMAGE=node:22-slim stack images`,
    )
    .action(async (options: { offline: boolean; withNpm: boolean }) =>
      (await import('./commands/images.ts')).images(
        { ...program.opts<GlobalOptions>(), ...options },
        terminal,
      ),
    );
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}

/**
 * Puts the words of `--words <line>` in its place: make passes its ARGS like that, so that no shell reads them.
 *
 * @throws {UsageError} for a quote that is not closed
 */
function withWords(argv: readonly string[]): string[] {
  const at = argv.indexOf('--words');
  if (at < 0) return [...argv];
  const line = argv[at + 1] ?? '';
  const words = splitWords(line);
  if (words === undefined) throw new UsageError(`ARGS leaves a quote open: ${line}`);
  return [...argv.slice(0, at), ...words, ...argv.slice(at + 2)];
}

async function main(): Promise<void> {
  forgetEmpty(['ENGINE', 'FORMAT', 'SERVICE', 'TYPE']);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second one ends at once.
      if (interrupted.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      interrupted.abort(signal);
    });
  }
  const terminal: Terminal = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: interrupted.signal,
  };
  // A pipe whose reader left (`make logs | head`) is no fault.
  process.stdout.on('error', () => process.exit(0));
  // What is under way (a reset) is not to stop half-way because nobody reads on.
  process.stderr.on('error', () => undefined);
  try {
    await build(terminal, (status) => {
      process.exitCode = status;
    }).parseAsync(withWords(process.argv));
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      const failure = explain(error, process.cwd());
      process.stderr.write(renderFailure('stack', failure));
      process.exitCode = failure.exitStatus;
    }
  }
}

void main();
