import { existsSync } from 'node:fs';
import { execa, type Options } from 'execa';
import { environment } from '../environment.ts';
import { EngineError } from '../errors.ts';
import type { Project } from '../project.ts';
import type { ComposeCommand } from './compose-program.ts';

/** Compose's own progress says less than ours; `down` is for every profile, whichever was active. */
const quiet = ['--progress', 'quiet'];
const globals: Readonly<Record<string, readonly string[]>> = {
  create: quiet,
  run: quiet,
  down: [...quiet, '--profile', '*'],
};

/** How compose is called for one project: always with the project's own files, folder and name. */
export class ComposeCall {
  readonly #command: ComposeCommand;
  #environment: Readonly<Record<string, string>>;
  readonly #words: readonly string[];
  readonly #folder: string;

  /** @param extra what compose needs beside this process's environment, such as DOCKER_HOST or chosen images */
  constructor(
    command: ComposeCommand,
    extra: Readonly<Record<string, string>>,
    project: Project,
    name: string,
  ) {
    this.#command = command;
    this.#environment = extra;
    this.#folder = project.root;
    const files = project.composeFiles.flatMap((file) => ['--file', file]);
    const where = ['--project-directory', project.directory, '--project-name', name];
    this.#words = [...files, ...envFiles(project), ...where];
  }

  /** Adds settings that fill variables of the compose files. */
  set(settings: Readonly<Record<string, string>>): void {
    this.#environment = { ...this.#environment, ...settings };
  }

  /** Runs it and returns how it ended; never throws. Input is closed and output collected unless `options` say otherwise. */
  run(args: readonly string[], options: Options = {}) {
    const [program, ...first] = this.#command;
    const all = [...first, ...this.#words, ...(globals[args[0] ?? ''] ?? []), ...args];
    return execa(program, all, {
      cwd: this.#folder,
      reject: false,
      stdin: 'ignore',
      forceKillAfterDelay: 10_000,
      ...options,
      env: { ...environment, ...this.#environment, ...options.env },
    });
  }

  /**
   * As {@link run}, for what has to succeed.
   *
   * @throws {EngineError} with compose's last words
   */
  async succeed(args: readonly string[], options: Options = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    if (exitCode === 0) return String(stdout ?? '');
    throw this.failure(args, exitCode, String(stderr ?? ''));
  }

  /** What compose said when it ended badly. */
  failure(args: readonly string[], exitCode: number | undefined, stderr: string): EngineError {
    const how = exitCode === undefined ? 'was ended by a signal' : `exited ${exitCode}`;
    return new EngineError(`${this.#command.join(' ')} ${args[0] ?? ''} ${how}`, lastWords(stderr));
  }
}

/** Where settings are not only in the `.env` that Compose finds by itself; a later one wins there too. */
function envFiles({ root, directory, envFile, envFiles: named, fallbackEnvFile }: Project): string[] {
  const isUsual = directory === root && named.length === 1 && named[0] === envFile;
  const files = isUsual ? [] : [...(fallbackEnvFile === undefined ? [] : [fallbackEnvFile]), ...named];
  return files.filter((path) => existsSync(path)).flatMap((path) => ['--env-file', path]);
}

/** The last lines of a program's complaint, its progress left out. */
export function lastWords(stderr: string): string[] {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^(Container|Network|Volume) \S+ /.test(line)).slice(-6);
}
