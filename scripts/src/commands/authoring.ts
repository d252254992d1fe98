import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { chooseEngine } from '../choose.ts';
import { PreflightError, systemReason, UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import type { Project } from '../project.ts';
import { chosenMigrations, type GlobalOptions, projectOf, type Terminal } from './context.ts';

type Authoring = GlobalOptions & { readonly service: string | undefined };

/** Writes a new migration of a service, as `migrate create` does; returns its exit status. */
export async function generate(
  name: string,
  args: readonly string[],
  options: Authoring & { readonly type: string | undefined },
): Promise<number> {
  const project = projectOf(options);
  const folder = requireFolder(project, options.service);
  if (name === '') {
    throw new UsageError('NAME= says what the migration does', {
      hint: `make db-generate NAME=create_orders TYPE=table SERVICE=${options.service}`,
    });
  }
  const type = options.type === undefined ? [] : ['--type', options.type];
  return migrator(project, ['create', name, ...type, '--path', folder, ...args]);
}

/** Judges the migration files of a service, or of each in turn; returns the last exit status that is not 0. */
export async function validate(
  args: readonly string[],
  options: Authoring & { readonly format: string },
): Promise<number> {
  const project = projectOf(options);
  let status = 0;
  for (const folder of foldersOf(project, options.service)) {
    const ended = await migrator(project, [
      'validate',
      '--path',
      folder,
      '--format',
      options.format,
      ...args,
    ]);
    if (ended !== 0) status = ended;
  }
  return status;
}

/** Shows in which order the services' migrations run; returns the migrator's exit status. */
export function deps(
  args: readonly string[],
  options: GlobalOptions & { readonly format: string },
): Promise<number> {
  return migrator(projectOf(options), ['deps', '--format', options.format, ...args]);
}

/** Writes the page of each chosen service's schema; returns the exit status of the first migrator that fails. */
export async function docs(options: Authoring, terminal: Terminal): Promise<number> {
  const opened = openStack(projectOf(options));
  const chosen = chosenMigrations(opened.stack, options.service);
  const { engine } = await chooseEngine(options.engine, opened);
  for (const { service, initContainer } of chosen) {
    const { exitStatus, stdout } = await engine.run({
      service: initContainer,
      args: ['docs', '--out', '-'],
      capture: true,
    });
    if (exitStatus !== 0) return exitStatus;
    terminal.out(`${writePage(opened.project.root, service, stdout)}\n`);
  }
  return 0;
}

/** Whole or not at all; returns its path in the project. */
function writePage(root: string, service: string, text: string): string {
  const folder = join(root, service, 'migrations', 'docs');
  const page = join(folder, 'schema.md');
  const partial = `${page}.partial`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(partial, text);
    renameSync(partial, page);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new PreflightError(`cannot write ${relative(root, page)}: ${systemReason(error)}`, {
      cause: error,
    });
  }
  return relative(root, page);
}

/** Runs the migrator on this machine, in the project's folder, with the terminal's input and output. */
function migrator({ root }: Project, args: readonly string[]): Promise<number> {
  const program = join(root, 'migrations/dist/migrate.start.cjs');
  return inForeground(process.execPath, [program, ...args], root);
}

/** Runs a program with the terminal's input and output; returns its exit status. */
export function inForeground(program: string, args: readonly string[], folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: 'inherit' });
    child.once('error', (error) =>
      reject(new PreflightError(`cannot run ${program}: ${systemReason(error)}`, { cause: error })),
    );
    child.once('close', (status, signal) => resolve(status ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

/** `<service>/migrations` of the chosen service, or of each. */
function foldersOf(project: Project, service: string | undefined): string[] {
  if (service !== undefined) return [requireFolder(project, service)];
  return servicesWithMigrations(project).map((name) => join(name, 'migrations'));
}

function requireFolder(project: Project, service: string | undefined): string {
  const services = servicesWithMigrations(project);
  if (service !== undefined && services.includes(service)) return join(service, 'migrations');
  throw new UsageError(
    service === undefined
      ? 'SERVICE= names the service it is for'
      : `no service with migrations is named ${JSON.stringify(service)}`,
    { evidence: [`there are: ${services.join(', ') || 'none'}`] },
  );
}

/** Those that have a folder for them; no compose file and no engine is asked. */
function servicesWithMigrations({ root }: Project): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => existsSync(join(root, name, 'migrations')))
    .sort();
}
