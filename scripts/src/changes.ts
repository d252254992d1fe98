import { createHash } from 'node:crypto';
import { existsSync, type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
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

/**
 * Tells of changes in batches: the files, relative to the project's folder. A file has changed when it holds something else than
 * at the batch before: what is written again as it was is no change, and neither is what changed and changed back.
 */
export class Changes {
  readonly #root: string;
  readonly #watchers: FSWatcher[] = [];
  readonly #touched = new Set<string>();
  readonly #changed = new Set<string>();
  /** What each file held, a hash of it; files that are not there have none. */
  readonly #contents = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #tell: (() => void) | undefined;

  constructor(root: string, watched: Watched) {
    this.#root = root;
    for (const [folder, counts] of watched) {
      const watcher = watch(folder, (_, name) => {
        if (name !== null && counts(name)) this.#touch(join(folder, name));
      });
      for (const name of readdirSync(folder)) if (counts(name)) this.#isNew(join(folder, name));
      // A folder that is removed while it is watched has no more to tell.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    }
  }

  /** Resolves with the next batch; with an empty one when `signal` aborts. What changed since the last batch is not lost. */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (!signal.aborted && this.#changed.size === 0) {
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

  /** Remembers what a file holds; true when it held something else before. */
  #isNew(file: string): boolean {
    const content = hashOf(file);
    const isNew = (this.#contents.get(file) ?? '') !== content;
    this.#contents.set(file, content);
    return isNew;
  }

  #touch(file: string): void {
    this.#touched.add(file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#judge(), quietMilliseconds);
  }

  /** Only now is it looked what the files hold: in the middle of a write they hold something else. */
  #judge(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const file of touched) if (this.#isNew(file)) this.#changed.add(relative(this.#root, file));
    if (this.#changed.size > 0) this.#tell?.();
  }
}

/**
 * Puts in the place of built programs the sources that a person has edited since `since`, in milliseconds since 1970; a program
 * of which no source was edited is told by its workspace.
 */
export function namesOfEdits(root: string, files: readonly string[], since: number): string[] {
  const programs = files.filter((file) => isProgram(file));
  const others = files.filter((file) => !isProgram(file));
  if (programs.length === 0) return others;
  const sources = sourcesEdited(root, since);
  const rebuilt = [...new Set(programs.map((file) => `${file.split(sep)[0]} (rebuilt)`))];
  return [...others, ...(sources.length > 0 ? sources : rebuilt)];
}

function sourcesEdited(root: string, since: number): string[] {
  const folders = readdirSync(root).map((name) => join(root, name, 'src'));
  return folders
    .filter((folder) => isFolder(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.ts$/.test(name) && !/\.test\.ts$/.test(name))
        .map((name) => join(folder, name)),
    )
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since)
    .map((file) => relative(root, file))
    .sort();
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
