import type { Capability, PathRule } from './policy.ts';

type Granted = ReadonlySet<Capability>;

/** A pattern with `+`, cut up for matching and ranking. */
interface Wildcard {
  readonly segments: readonly string[];
  readonly rank: Rank;
  readonly isPrefix: boolean;
}

/** What decides between two patterns that both match; see {@link isWeaker}. */
interface Rank {
  /** Where the first `+` or the final `*` stands. */
  readonly firstWildcard: number;
  readonly isPrefix: boolean;
  readonly plusses: number;
  readonly text: string;
}

const nothing: Granted = new Set();

/**
 * Decides what a token may do, from all rules of all its policies.
 *
 * The rules are Vault's (docs, "Policies", priority matching): rules with the same pattern are merged, deny winning;
 * an exact path comes before any pattern; among patterns only the strongest one that matches counts.
 */
export class Acl {
  readonly #exact = new Map<string, Granted>();
  /** Keyed without the final `*`. */
  readonly #prefixes = new Map<string, Granted>();
  readonly #wildcards = new Map<string, Granted>();

  constructor(rules: Iterable<PathRule>) {
    for (const { pattern, capabilities } of rules) {
      if (isWildcard(pattern)) merge(this.#wildcards, pattern, capabilities);
      else if (pattern.endsWith('*')) merge(this.#prefixes, pattern.slice(0, -1), capabilities);
      else merge(this.#exact, pattern, capabilities);
    }
  }

  /**
   * What is granted on `path`; empty or only `deny` means nothing.
   *
   * @param listing the operation is a list, whose path ends in a slash that a rule need not have
   */
  granted(path: string, listing: boolean): Granted {
    const bare = listing && path.endsWith('/') ? path.slice(0, -1) : path;
    return (
      this.#exact.get(path) ??
      this.#exact.get(bare) ??
      (bare === path ? undefined : this.#strongest(bare)) ??
      this.#strongest(path) ??
      nothing
    );
  }

  allows(path: string, capability: Capability): boolean {
    return this.granted(path, capability === 'list').has(capability);
  }

  #strongest(path: string): Granted | undefined {
    let best: { rank: Rank; granted: Granted } | undefined;
    const offer = (rank: Rank, granted: Granted) => {
      if (best === undefined || isWeaker(best.rank, rank)) best = { rank, granted };
    };
    for (const [prefix, granted] of this.#prefixes) {
      if (!path.startsWith(prefix)) continue;
      offer({ firstWildcard: prefix.length, isPrefix: true, plusses: 0, text: prefix }, granted);
    }
    for (const [pattern, granted] of this.#wildcards) {
      const wildcard = cutUp(pattern);
      if (matches(wildcard, path)) offer(wildcard.rank, granted);
    }
    return best?.granted;
  }
}

function isWildcard(pattern: string): boolean {
  return pattern === '+' || pattern.includes('/+') || pattern.startsWith('+/');
}

function merge(rules: Map<string, Granted>, pattern: string, added: Granted): void {
  const union = new Set([...(rules.get(pattern) ?? []), ...added]);
  rules.set(pattern, union.has('deny') ? new Set<Capability>(['deny']) : union);
}

function cutUp(pattern: string): Wildcard {
  const isPrefix = pattern.endsWith('*');
  const text = isPrefix ? pattern.slice(0, -1) : pattern;
  const segments = text.split('/');
  const plusses = segments.filter((segment) => segment === '+').length;
  return { segments, isPrefix, rank: { firstWildcard: pattern.indexOf('+'), isPrefix, plusses, text } };
}

function matches({ segments, isPrefix }: Wildcard, path: string): boolean {
  const parts = path.split('/');
  if (isPrefix ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) => {
    const part = parts[index] ?? '';
    if (segment === '+' || segment === part) return true;
    return isPrefix && index === segments.length - 1 && part.startsWith(segment);
  });
}

/** Vault's five rules, in their order. */
function isWeaker(a: Rank, b: Rank): boolean {
  if (a.firstWildcard !== b.firstWildcard) return a.firstWildcard < b.firstWildcard;
  if (a.isPrefix !== b.isPrefix) return a.isPrefix;
  if (a.plusses !== b.plusses) return a.plusses > b.plusses;
  if (a.text.length !== b.text.length) return a.text.length < b.text.length;
  return a.text < b.text;
}
