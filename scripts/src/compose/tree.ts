import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Scalar as ScalarNode,
  visit,
  type Node as YamlNode,
} from 'yaml';
import { readText } from '../read-text.ts';
import type { Mistakes, Place } from './mistakes.ts';
import { type Resolved, resolveScalar, word } from './scalar.ts';

/** A value of a compose file, and where it stands. */
export type Tree = Scalar | Mapping | List;
export interface Scalar extends Resolved {
  readonly kind: 'scalar';
  /** The text before variables were filled in. */
  readonly raw: string;
  readonly place: Place;
}
export interface Mapping {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Tree>;
  /** Where each key stands. */
  readonly keys: ReadonlyMap<string, Place>;
  readonly place: Place;
  /** Keys tagged `!reset` or `!override`: what this map is laid upon loses them. */
  readonly resets?: ReadonlySet<string>;
}
export interface List {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly place: Place;
}

/**
 * Reads the documents of one compose file as trees with places, each laid upon those before it by Compose; YAML merge
 * keys and aliases are resolved, variables are not. `file` is named in the places.
 */
export function readTrees(path: string, file: string, mistakes: Mistakes): Mapping[] {
  const { text, problem = '', line = 1 } = readText(path);
  if (text !== undefined) return parseTrees(text, file, mistakes);
  mistakes.add({ ...startOf(file), line }, problem.replace(/^has/, 'the file has'));
  return [];
}

/** As {@link readTrees}, of a text that was read already. */
export function parseTrees(text: string, file: string, mistakes: Mistakes): Mapping[] {
  const lines = new LineCounter();
  const start = startOf(file);
  try {
    // Scalars are resolved by go-yaml's rules, so the parser is to leave them as they stand.
    const options = {
      schema: 'failsafe',
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    } as const;
    const parsed = parseAllDocuments(text, options);
    const documents = 'empty' in parsed ? [] : parsed;
    if (documents.length === 0) mistakes.add(start, 'the file is empty');
    return documents.flatMap((document) => {
      const tree = new TreeReader(document, lines, file, mistakes).read();
      if (tree?.kind === 'map') return [tree];
      const isAll = documents.length === 1;
      const place = isAll ? start : placeIn(lines, file, document.range[0]);
      if (tree === undefined)
        mistakes.add(place, isAll ? 'the file is empty' : 'a document of the file is empty');
      else mistakes.add(place, 'expected a map at the top of the file');
      return [];
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    mistakes.add(start, 'nested too deeply');
    return [];
  }
}

function placeIn(lines: LineCounter, file: string, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}

class TreeReader {
  readonly #lines: LineCounter;
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #mistakes: Mistakes;
  readonly #seen = new Map<YamlNode, Tree>();
  readonly #open = new Set<YamlNode>();
  /** What each alias stands for. */
  readonly #targets = new Map<Alias, YamlNode>();

  constructor(document: Document.Parsed, lines: LineCounter, file: string, mistakes: Mistakes) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
    this.#mistakes = mistakes;
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
    const tree = this.#node(contents);
    return tree.kind === 'scalar' && tree.type === 'null' ? undefined : tree;
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
    return placeIn(this.#lines, this.#file, offset);
  }

  /** Each YAML node is read once, however many aliases lead to it, so nested aliases cannot explode. */
  #node(node: YamlNode): Tree {
    const place = this.#place(node.range?.[0] ?? 0);
    const seen = this.#seen.get(node);
    if (seen !== undefined) return seen;
    if (this.#open.has(node)) {
      this.#mistakes.add(place, 'an alias leads back to itself');
      return absent(place);
    }
    this.#open.add(node);
    const tree = this.#read(node, place);
    this.#open.delete(node);
    this.#seen.set(node, tree);
    return tree;
  }

  #read(node: YamlNode, place: Place): Tree {
    if (isAlias(node)) {
      const target = this.#targets.get(node);
      if (target !== undefined) return this.#node(target);
      this.#mistakes.add(place, `no anchor &${node.source} before this`);
      return absent(place);
    }
    if (isScalar(node)) return this.#scalar(node, place);
    const tag = tagOf(node);
    if (tag !== undefined && !/^(!reset|!override|tag:yaml\.org,2002:(map|seq))$/.test(tag))
      this.#refuseTag(tag, place);
    if (isMap(node)) return this.#map(node.items, place);
    if (!isSeq(node)) return absent(place);
    const items = node.items.flatMap((item) => {
      if (isPair(item) || this.#markOf(item as YamlNode) === '!reset') return [];
      return [this.#node(item as YamlNode)];
    });
    return { kind: 'list', items, place };
  }

  #scalar(node: ScalarNode, place: Place): Scalar {
    const text = String(node.value ?? '');
    const resolved = node.type === 'PLAIN' || node.type === undefined ? resolveScalar(text) : word(text);
    const raw = node.source ?? text;
    const tag = tagOf(node);
    if (tag === undefined || tag === '!reset' || tag === '!override') {
      return { kind: 'scalar', ...resolved, raw, place };
    }
    const tagged = taggedScalar(tag, text);
    if (tagged === undefined) this.#refuseTag(tag, place);
    return { kind: 'scalar', ...(tagged ?? resolved), raw, place };
  }

  #refuseTag(tag: string, place: Place): void {
    this.#mistakes.add(place, `the tag ${tag.replace('tag:yaml.org,2002:', '!!')} is not supported`);
  }

  /** `!reset` or `!override` when the node, or what it is an alias of, says so. */
  #markOf(node: YamlNode | null): string | undefined {
    const target = node !== null && isAlias(node) ? this.#targets.get(node) : node;
    const tag = target === null || target === undefined ? undefined : tagOf(target);
    return tag === '!reset' || tag === '!override' ? tag : undefined;
  }

  #map(items: readonly unknown[], place: Place): Mapping {
    const entries = new Map<string, Tree>();
    const keys = new Map<string, Place>();
    const resets = new Set<string>();
    const merged: Mapping[] = [];
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const at = this.#place((pair.key as YamlNode | null)?.range?.[0] ?? 0);
      if (!isScalar(pair.key)) {
        this.#mistakes.add(at, 'expected a string as a key');
        continue;
      }
      const key = String(pair.key.value);
      const isPlain = pair.key.type === 'PLAIN';
      const node = pair.value as YamlNode | null;
      const mark = this.#markOf(node);
      if (mark !== undefined) resets.add(key);
      if (mark === '!reset') continue;
      const value: Tree = node === null ? absent(at) : this.#node(node);
      if (isPlain && key === '<<') merged.push(...this.#mergeSources(value));
      else {
        if (isPlain && resolveScalar(key).type !== 'string')
          this.#mistakes.add(
            at,
            `expected a string as a key, got ${key === '' ? 'nothing' : key}; put it in quotes`,
          );
        entries.set(key, value);
        keys.set(key, at);
      }
    }
    // Earlier sources win over later ones, and the map's own keys over all of them (YAML merge key, section 3).
    for (const source of merged) {
      for (const key of source.resets ?? []) resets.add(key);
      for (const [key, value] of source.entries) {
        if (entries.has(key)) continue;
        entries.set(key, value);
        keys.set(key, source.keys.get(key) ?? source.place);
      }
    }
    return { kind: 'map', entries, keys, place, ...(resets.size > 0 ? { resets } : {}) };
  }

  #mergeSources(value: Tree): Mapping[] {
    if (value.kind === 'map') return [value];
    if (value.kind === 'list') return value.items.flatMap((item) => this.#mergeSources(item));
    this.#mistakes.add(value.place, 'the merge key << takes a map or a list of maps');
    return [];
  }
}

/** Nothing, where something could be. */
export function absent(place: Place): Scalar {
  return { kind: 'scalar', ...resolveScalar(''), raw: '', place };
}

/** A string that is not in the file itself, but follows from what stands at `place`. */
export function textAt(text: string, place: Place): Scalar {
  return { kind: 'scalar', ...word(text), raw: text, place };
}

/** Whether two trees say the same, wherever they stand. */
export function sameTree(one: Tree, other: Tree): boolean {
  if (one === other) return true;
  if (one.kind === 'scalar')
    return other.kind === 'scalar' && one.type === other.type && one.text === other.text;
  if (one.kind === 'list') {
    const items = other.kind === 'list' ? other.items : [];
    return (
      other.kind === 'list' &&
      one.items.length === items.length &&
      one.items.every((item, at) => sameTree(item, items[at] ?? absent(item.place)))
    );
  }
  if (other.kind !== 'map' || one.entries.size !== other.entries.size) return false;
  return [...one.entries].every(([key, value]) => {
    const found = other.entries.get(key);
    return found !== undefined && sameTree(value, found);
  });
}

function tagOf(node: YamlNode): string | undefined {
  return 'tag' in node && typeof node.tag === 'string' ? node.tag : undefined;
}

/** A scalar with a tag of YAML's own; undefined when the tag is another, or the scalar none of its kind. */
function taggedScalar(tag: string, text: string): Resolved | undefined {
  const type = tag.replace('tag:yaml.org,2002:', '');
  if (tag === '!' || type === 'str') return word(text);
  if (type === 'binary') return word(Buffer.from(text, 'base64').toString('utf8'));
  const resolved = resolveScalar(text);
  if (type === 'timestamp') return resolved.type === 'time' ? resolved : undefined;
  if (type === 'float' && resolved.type === 'int') return { ...resolved, type };
  return resolved.type === type ? resolved : undefined;
}

function lowerFirst(text: string): string {
  const [first = ''] = text.split('\n');
  if (first.includes('call stack')) return 'nested too deeply';
  return first.charAt(0).toLowerCase() + first.slice(1);
}
