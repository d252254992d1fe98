import { createHash } from 'node:crypto';
import { existsSync, type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Stack } from './compose/stack.ts';
import type { Project } from './project.ts';

/** An editor and a build write in several steps: a change is told once this long nothing more has come. */
const quietMilliseconds = 250;

/** What is watched: folders, each with the names that count in it. */
type Watched = Map<string, (name: string) => boolean>;

/**
 * What a start of the stack reads from the project and a person edits: the compose files and what they include, extend or
 * name as `env_file`, `.env`, the folders that services mount (migrations, policies) and the programs that are built (`dist`).
 */
export function watchedFolders(project: Project, stack: Stack): Watched {
  const watched: Watched = new Map();
  const files = [...project.composeFiles, ...project.envFiles, ...stack.files];
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    const names = files.filter((file) => dirname(file) === folder).map((file) => basename(file));
    watched.set(folder, (name) => names.includes(name));
  }
  for (const service of stack.services.values()) {
    for (const { kind, source } of service.mounts) {
      if (kind !== 'bind' || !isFolder(source) || source.startsWith(project.stateFolder)) continue;
      watched.set(source, (name) => !name.startsWith('.') && !name.endsWith('~'));
    }
    for (const word of service.embedded?.entrypoint ?? []) {
      const folder = dirname(join(project.root, word));
      if (isProgram(word) && isFolder(folder)) watched.set(folder, isProgram);
    }
  }
  return watched;
}

/** Tells of changes in batches: the files, relative to the project's folder. */
export class Changes {
  readonly #root: string;
  readonly #watchers: FSWatcher[] = [];
  readonly #changed = new Set<string>();
  /** Of programs, what they held: a build that writes the same again is no change. */
  readonly #contents = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #tell: (() => void) | undefined;

  constructor(root: string, watched: Watched) {
    this.#root = root;
    for (const [folder, counts] of watched) {
      const watcher = watch(folder, (_, name) => {
        if (name !== null && counts(name)) this.#see(join(folder, name));
      });
      for (const name of readdirSync(folder)) if (isProgram(name)) this.#isNew(join(folder, name));
      // A folder that is removed while it is watched has no more to tell.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    }
  }

  /** Resolves with the next batch; with an empty one when `signal` aborts. What changed since the last batch is not lost. */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (!signal.aborted && this.#tell === undefined && !this.#isQuiet()) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#tell = undefined;
    const files = [...this.#changed].sort();
    this.#changed.clear();
    return signal.aborted ? [] : files;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #isQuiet(): boolean {
    return this.#changed.size > 0 && this.#timer === undefined;
  }

  /** Remembers what a program holds; true when it held something else before. */
  #isNew(file: string): boolean {
    const content = hashOf(file);
    const isNew = this.#contents.get(file) !== content;
    this.#contents.set(file, content);
    return isNew;
  }

  #see(file: string): void {
    if (isProgram(file) && !this.#isNew(file)) return;
    this.#changed.add(relative(this.#root, file));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell?.();
    }, quietMilliseconds);
  }
}

function isProgram(name: string): boolean {
  return /\.[cm]?js$/.test(name);
}

/** Empty for a file that is not there. */
function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
