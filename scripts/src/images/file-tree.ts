import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { ContentHashes } from './content-hashes.ts';

/** Who an entry belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One entry of an image's file system; paths have no leading slash. */
export type TreeEntry = Owner & { readonly path: string; readonly mode: number } & (
    | { readonly kind: 'folder' }
    | { readonly kind: 'link'; readonly to: string }
    | { readonly kind: 'text'; readonly content: string }
    /** A file of this machine; `bytes` is its size when it was added. */
    | { readonly kind: 'copy'; readonly from: string; readonly bytes: number }
  );

const root: Owner = { uid: 0, gid: 0 };

/** The files of an image: what is written, what is copied from this machine, and to whom each belongs. */
export class FileTree {
  readonly #entries = new Map<string, TreeEntry>();

  folder(path: string, mode = 0o755, owner = root): this {
    return this.#add({ kind: 'folder', path: trimmed(path), mode, ...owner });
  }

  link(path: string, to: string): this {
    return this.#add({ kind: 'link', path: trimmed(path), to, mode: 0o777, ...root });
  }

  text(path: string, content: string, mode = 0o644): this {
    return this.#add({ kind: 'text', path: trimmed(path), content, mode, ...root });
  }

  /** A file of this machine, links followed; its own owner and mode do not count. */
  copy(path: string, from: string, mode = 0o644): this {
    const file = realpathSync(from);
    const bytes = statSync(file).size;
    return this.#add({ kind: 'copy', path: trimmed(path), from: file, bytes, mode, ...root });
  }

  /** A folder of this machine with all that is in it; links stay as they are. */
  copyFolder(path: string, from: string, wanted: (relative: string) => boolean = () => true): this {
    this.folder(path);
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      const source = join(entry.parentPath, entry.name);
      const relative = source.slice(from.length + 1);
      if (!wanted(relative)) continue;
      const target = posix.join(path, relative);
      if (entry.isDirectory()) this.folder(target);
      else if (entry.isSymbolicLink()) this.link(target, readlinkSync(source));
      else if (entry.isFile()) this.copy(target, source, statSync(source).mode & 0o111 ? 0o755 : 0o644);
    }
    return this;
  }

  has(path: string): boolean {
    return this.#entries.has(trimmed(path));
  }

  /** All entries, each folder before what is in it. */
  entries(): TreeEntry[] {
    const byPath = (one: TreeEntry, other: TreeEntry) => (one.path < other.path ? -1 : 1);
    return [...this.#entries.values()].sort(byPath);
  }

  /** A hash that changes when an entry does; where a copied file lies and how old it is does not count, what it holds does. */
  fingerprint(hashes: Pick<ContentHashes, 'of'>): string {
    const parts = this.entries().map((entry) =>
      entry.kind === 'copy' ? { ...entry, from: hashes.of(entry.from) } : entry,
    );
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  #add(entry: TreeEntry): this {
    const parent = posix.dirname(entry.path);
    if (parent !== '.' && !this.#entries.has(parent)) this.folder(parent);
    this.#entries.set(entry.path, entry);
    return this;
  }
}

function trimmed(path: string): string {
  return posix.normalize(path).replace(/^\/+|\/+$/g, '');
}
