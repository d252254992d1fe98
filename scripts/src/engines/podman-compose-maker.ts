import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Lookup } from '../compose/interpolate.ts';
import { Mistakes } from '../compose/mistakes.ts';
import { loadStack, readStackFiles } from '../compose/read-stack.ts';
import type { Mapping, Tree } from '../compose/tree.ts';
import { environment } from '../environment.ts';
import { EngineError, PreflightError, systemReason } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { lastWords } from './compose-call.ts';
import type { ComposeCommand } from './compose-program.ts';
import type { ContainerTools } from './containers.ts';
import { isBefore } from './engine-defects.ts';
import { type PodmanComposeFile, writeOneOff, writePodmanCompose } from './podman-compose-file.ts';
import type { PodmanProject } from './podman-compose-project.ts';

/** How podman-compose is called, and which one it is. */
export interface PodmanComposeTools extends ContainerTools {
  readonly command: ComposeCommand;
  readonly version: string;
}

/** What one run of a service changes of it. */
export interface OneOff {
  readonly service: string;
  readonly args: readonly string[];
  readonly isTerminal: boolean;
}

/**
 * Makes the containers, networks and volumes of a stack with podman-compose and starts nothing: `up --no-start`, the one
 * part of podman-compose whose work is the same in every version. What is changed is found and removed here, because
 * versions differ in that: 1.0.3 never looks, later ones take down the services around it as well.
 */
export class PodmanComposeMaker {
  readonly #tools: PodmanComposeTools;
  readonly #opened: OpenedStack;
  readonly #podman: PodmanProject;
  readonly #folder: string;
  #settings: Readonly<Record<string, string>> = {};

  constructor(tools: PodmanComposeTools, opened: OpenedStack, podman: PodmanProject) {
    this.#tools = tools;
    this.#opened = opened;
    this.#podman = podman;
    this.#folder = join(opened.project.stateFolder, 'podman-compose');
  }

  /** Settings that win over the project's own, such as chosen images. */
  set(settings: Readonly<Record<string, string>>): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /**
   * Removes the containers that are changed, no longer in the files, or made by somebody else; returns what makes those
   * that are then missing.
   */
  async clear(): Promise<(signal: AbortSignal) => Promise<void>> {
    const names = [...this.#opened.stack.services.keys()];
    const file = await this.#describe(names);
    const there = (await this.#podman.containers()).filter(({ isOneOff }) => !isOneOff);
    const current = there.filter(({ service, madeFrom }) => madeFrom === file.madeFrom.get(service));
    const rest = there.filter((one) => !current.includes(one));
    await Promise.all(rest.map((one) => this.#podman.remove(one)));
    // Whoever used a network that changed was changed by that, and is gone.
    for (const { key, name, madeFrom } of rest.length > 0 ? await this.#podman.networks() : []) {
      const wanted = file.networksFrom.get(key);
      if (madeFrom !== undefined && wanted !== madeFrom) await this.#podman.answer(['network', 'rm', name]);
    }
    const kept = new Set(current.map(({ service }) => service));
    const missing = names.filter((name) => !kept.has(name));
    return async (signal) => {
      if (missing.length > 0) await this.#make(file, missing, signal);
    };
  }

  /** @throws {EngineError} with podman-compose's words when a container is still missing afterwards */
  async #make(file: PodmanComposeFile, names: readonly string[], signal: AbortSignal): Promise<void> {
    const said = await this.#call(this.#write('compose.yaml', file.text), names, signal);
    if (signal.aborted) return;
    const made = new Set((await this.#podman.containers()).map(({ service }) => service));
    const left = names.filter((name) => !made.has(name));
    if (left.length > 0) throw failure(`podman-compose did not make ${left.join(', ')}`, said);
  }

  /**
   * Makes a container for one run of a service and returns its name; whoever asked removes it.
   *
   * @throws {EngineError} with podman-compose's words
   */
  async makeOneOff({ service, args, isTerminal }: OneOff, signal: AbortSignal): Promise<string> {
    const name = `${this.#opened.stack.name}_${service}_run_${randomBytes(4).toString('hex')}`;
    const changes = { container_name: name, command: args, stdin_open: true, tty: isTerminal };
    const path = this.#write(`${name}.yaml`, writeOneOff(await this.#describe([service]), service, changes));
    try {
      const said = await this.#call(path, [service], signal);
      if ((await this.#podman.call(['container', 'exists', name])).exitCode === 0) return name;
      throw failure(`podman-compose did not make a container for ${service}`, said);
    } finally {
      rmSync(path, { force: true });
    }
  }

  /** @param names the services whose images must be there */
  async #describe(names: readonly string[]): Promise<PodmanComposeFile> {
    const { stack, project, setting } = this.#opened;
    const lookup: Lookup = (name) => this.#settings[name] ?? setting(name);
    // What is wrong in the files was said when they were read.
    const { tree: filled } = loadStack(readStackFiles(project), lookup, new Mistakes());
    const images = new Set(names.map((name) => word(filled, 'services', name, 'image') ?? ''));
    const ids = await this.#imageIds([...images]);
    return writePodmanCompose({
      stack,
      filled,
      root: project.directory,
      version: this.#tools.version,
      configFile: (name) => this.#writeConfig(name, filled, lookup),
      imageId: (image) => ids.get(image) ?? '',
    });
  }

  /** @throws {PreflightError} naming the images that are not there: podman-compose would pull them one after the other */
  async #imageIds(images: readonly string[]): Promise<Map<string, string>> {
    const found = await Promise.all(
      images.map(async (image) => {
        const { exitCode, stdout } = await this.#podman.call([
          'image',
          'inspect',
          '--format',
          '{{.Id}}',
          image,
        ]);
        return [image, exitCode === 0 ? stdout.trim() : undefined] as const;
      }),
    );
    const missing = found.filter(([, id]) => id === undefined).map(([image]) => image);
    if (missing.length > 0) {
      throw new PreflightError('Podman does not have every image', {
        evidence: missing.map((image) => (image === '' ? 'a service names no image' : image)),
        hint: 'make images ENGINE=podman',
      });
    }
    return new Map(found.map(([image, id]) => [image, id ?? '']));
  }

  /** A config made from text or a variable becomes a file that a container can read. */
  #writeConfig(name: string, filled: Mapping, lookup: Lookup): string {
    const variable = word(filled, 'configs', name, 'environment');
    const content = word(filled, 'configs', name, 'content');
    const text = content ?? (variable === undefined ? '' : (lookup(variable) ?? ''));
    return this.#write(`config-${name}`, text, 0o444);
  }

  /** Written whole, by rename: two commands at once must not read half of it. */
  #write(name: string, text: string, mode = 0o600): string {
    const path = join(this.#folder, name);
    const beside = `${path}.${process.pid}.new`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(beside, text, { mode });
      // Past the umask, which must not take a container's right to read.
      chmodSync(beside, mode);
      renameSync(beside, path);
    } catch (error) {
      rmSync(beside, { force: true });
      throw new PreflightError(`cannot write ${path}: ${systemReason(error)}`, { cause: error });
    }
    return path;
  }

  /** Returns what podman-compose said; its exit status says nothing before 1.1. */
  async #call(path: string, services: readonly string[], signal: AbortSignal): Promise<string> {
    const { command, version } = this.#tools;
    const [program, ...first] = command;
    // No pod: 1.0.6 takes only the empty word for no, later versions read it in the file, 1.0.3 knows neither and makes none.
    const noPod = isBefore(version, '1.0.4') ? [] : ['--in-pod='];
    // As on Docker: else Podman lays memory over /run and /tmp of a read-only container, and before 5.0 the mode of a tmpfs
    // below them is lost.
    const asDocker = '--podman-run-args=--read-only-tmpfs=false';
    const where = ['--file', path, '--project-name', this.#opened.stack.name, asDocker, ...noPod];
    const up = ['up', '--no-start', '--no-build', '--no-deps', '--no-recreate', ...services];
    const { all } = await execa(program, [...first, ...where, ...up], {
      reject: false,
      all: true,
      stdin: 'ignore',
      cwd: this.#folder,
      cancelSignal: signal,
      env: { ...environment, ...this.#tools.environment },
    });
    return all;
  }
}

/** Old versions repeat each command they run; Podman's own words begin with Error. */
function failure(fact: string, said: string): EngineError {
  const errors = said.split('\n').filter((line) => line.startsWith('Error'));
  return new EngineError(fact, errors.length > 0 ? errors.slice(0, 6) : lastWords(said));
}

/** The single value at a path of keys; undefined when there is none. */
function word(tree: Tree, ...path: readonly string[]): string | undefined {
  const found = path.reduce<Tree | undefined>(
    (inner, key) => (inner?.kind === 'map' ? inner.entries.get(key) : undefined),
    tree,
  );
  return found?.kind === 'scalar' && found.value !== null ? found.text : undefined;
}
