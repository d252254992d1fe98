import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Node as YamlNode,
} from 'yaml';
import { systemReason } from '../errors.ts';
import type { Mistakes, Place } from './mistakes.ts';

/** A value of a compose file, and where it stands. `raw` is the text before variables were filled in. */
export type Tree = Scalar | Mapping | List;
export interface Scalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly raw: string;
  readonly place: Place;
}
export interface Mapping {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Tree>;
  /** Where each key stands. */
  readonly keys: ReadonlyMap<string, Place>;
  readonly place: Place;
}
export interface List {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly place: Place;
}

/** Far above any real compose file; stops a wrong file from being parsed for minutes. */
const mostBytes = 1024 * 1024;

/** Reads one compose file as a tree with places; YAML merge keys and aliases are resolved, variables are not. */
export function readTree(path: string, root: string, mistakes: Mistakes): Mapping {
  const file = relative(root, path);
  const text = readText(path, startOf(file), mistakes);
  return text === undefined ? emptyTree(file) : parseTree(text, file, mistakes);
}

/** As {@link readTree}, of a text that was read already; `file` is named in its places. */
export function parseTree(text: string, file: string, mistakes: Mistakes): Mapping {
  const start = startOf(file);
  try {
    const tree = new TreeReader(text, file, mistakes).read();
    if (tree?.kind === 'map') return tree;
    mistakes.add(start, tree === undefined ? 'the file is empty' : 'expected a map at the top of the file');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    mistakes.add(start, 'nested too deeply');
  }
  return emptyTree(file);
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}

function emptyTree(file: string): Mapping {
  return { kind: 'map', entries: new Map(), keys: new Map(), place: startOf(file) };
}

function readText(path: string, start: Place, mistakes: Mistakes): string | undefined {
  try {
    const { size } = statSync(path);
    if (size > mostBytes) {
      mistakes.add(start, `the file has ${size} bytes; at most ${mostBytes} are read`);
      return undefined;
    }
    const text = readFileSync(path, 'utf8');
    const nul = text.indexOf('\0');
    if (nul === -1) return text;
    const line = text.slice(0, nul).split('\n').length;
    mistakes.add({ ...start, line }, 'the file has a NUL byte; it must be text');
  } catch (error) {
    mistakes.add(start, `cannot be read: ${systemReason(error)}`);
  }
  return undefined;
}

class TreeReader {
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #mistakes: Mistakes;
  readonly #seen = new Map<YamlNode, Tree>();
  readonly #open = new Set<YamlNode>();
  /** What each alias stands for. */
  readonly #targets = new Map<Alias, YamlNode>();

  constructor(text: string, file: string, mistakes: Mistakes) {
    this.#file = file;
    this.#mistakes = mistakes;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
  }

  /** Undefined for an empty document. */
  read(): Tree | undefined {
    for (const error of this.#document.errors) {
      this.#mistakes.add(this.#place(error.pos[0]), `not YAML: ${lowerFirst(error.message)}`);
    }
    const contents = this.#document.contents as YamlNode | null;
    if (this.#document.errors.length > 0) return this.#nothing();
    if (contents === null) return undefined;
    this.#findTargets();
    return this.#node(contents);
  }

  /** In one walk: an alias means the last node before it that has the anchor. Its own `resolve` walks through the file each time. */
  #findTargets(): void {
    const anchored = new Map<string, YamlNode>();
    visit(this.#document, {
      Alias: (_, alias) => {
        const target = anchored.get(alias.source);
        if (target !== undefined) this.#targets.set(alias, target);
      },
      Value: (_, node) => {
        if (node.anchor !== undefined) anchored.set(node.anchor, node);
      },
    });
  }

  #nothing(): Mapping {
    return { kind: 'map', entries: new Map(), keys: new Map(), place: this.#place(0) };
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Each YAML node is read once, however many aliases lead to it, so nested aliases cannot explode. */
  #node(node: YamlNode): Tree {
    const place = this.#place(node.range?.[0] ?? 0);
    const seen = this.#seen.get(node);
    if (seen !== undefined) return seen;
    if (this.#open.has(node)) {
      this.#mistakes.add(place, 'an alias leads back to itself');
      return { kind: 'scalar', value: null, raw: '', place };
    }
    this.#open.add(node);
    const tree = this.#read(node, place);
    this.#open.delete(node);
    this.#seen.set(node, tree);
    return tree;
  }

  #read(node: YamlNode, place: Place): Tree {
    const tag = 'tag' in node ? node.tag : undefined;
    if (typeof tag === 'string' && tag.startsWith('!'))
      this.#mistakes.add(place, `the tag ${tag} is not supported`);
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (target !== undefined) return this.#node(target);
      this.#mistakes.add(place, `no anchor &${node.source} before this`);
    }
    if (isMap(node)) return this.#map(node.items, place);
    if (isSeq(node)) {
      const items = node.items.flatMap((item) => (isPair(item) ? [] : [this.#node(item as YamlNode)]));
      return { kind: 'list', items, place };
    }
    if (!isScalar(node)) return { kind: 'scalar', value: null, raw: '', place };
    const value = node.value;
    const plain = typeof value === 'number' || typeof value === 'boolean' || value === null;
    return {
      kind: 'scalar',
      value: plain ? value : String(value),
      raw: node.source ?? String(value ?? ''),
      place,
    };
  }

  #map(items: readonly unknown[], place: Place): Mapping {
    const entries = new Map<string, Tree>();
    const keys = new Map<string, Place>();
    const merged: Mapping[] = [];
    for (const pair of items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      const at = this.#place(pair.key.range?.[0] ?? 0);
      const value: Tree =
        pair.value === null
          ? { kind: 'scalar', value: null, raw: '', place: at }
          : this.#node(pair.value as YamlNode);
      if (key === '<<') merged.push(...this.#mergeSources(value));
      else {
        entries.set(key, value);
        keys.set(key, at);
      }
    }
    // Earlier sources win over later ones, and the map's own keys over all of them (YAML merge key, section 3).
    for (const source of merged) {
      for (const [key, value] of source.entries) {
        if (entries.has(key)) continue;
        entries.set(key, value);
        keys.set(key, source.keys.get(key) ?? source.place);
      }
    }
    return { kind: 'map', entries, keys, place };
  }

  #mergeSources(value: Tree): Mapping[] {
    if (value.kind === 'map') return [value];
    if (value.kind === 'list') return value.items.flatMap((item) => this.#mergeSources(item));
    this.#mistakes.add(value.place, 'the merge key << takes a map or a list of maps');
    return [];
  }
}

function lowerFirst(text: string): string {
  const [first = ''] = text.split('\n');
  if (first.includes('call stack')) return 'nested too deeply';
  return first.charAt(0).toLowerCase() + first.slice(1);
}
