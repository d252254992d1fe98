import { nearest } from '@lockstep/foundation';
import { quoteIdentifier } from '../identifiers.ts';
import type { CatalogObject } from './catalog.ts';
import { holderOf, schemaOf, spellingsOf } from './names.ts';

/** One entry of the ignore list. */
export interface IgnoreRule {
  /** As it was written. */
  readonly text: string;
  /** A kind of {@link ignorableKinds}. */
  readonly kind: string;
  readonly name: RegExp;
  /** Of `grant` alone: which privilege, to whom. */
  readonly privilege?: RegExp;
  readonly role?: RegExp;
}

/** What the ignore list can name: every kind that the catalog has, grants and comments, and `*` for any object. */
export const ignorableKinds: readonly string[] = [
  'schema',
  'table',
  'view',
  'materialized view',
  'foreign table',
  'column',
  'constraint',
  'index',
  'sequence',
  'function',
  'procedure',
  'aggregate',
  'trigger',
  'rule',
  'policy',
  'type',
  'domain',
  'statistics',
  'collation',
  'operator',
  'cast',
  'text search configuration',
  'extension',
  'event trigger',
  'publication',
  'default privileges',
  'grant',
  'comment',
  '*',
];

/** The kinds whose parts they cover: ignoring a table ignores its columns, constraints and indexes. */
const holders: readonly string[] = ['table', 'view', 'materialized view', 'foreign table', 'type', 'domain'];

/** Splits a list at line ends and at commas that are neither in parentheses nor in quotes. */
export function splitPatterns(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.match(/(?:"[^"]*"|\([^)]*\)|[^,])+/g) ?? [])
    .map((pattern) => pattern.trim().replace(/\s+/g, ' '))
    .filter((pattern) => pattern !== '');
}

/**
 * Reads one entry: a kind and a name, as in `table events_*`, or `grant [<privilege> on] <name> to <role>`. In names `*` stands for
 * any text and `?` for one character. Returns the rule that a wrong one breaks.
 */
export function parsePattern(text: string): IgnoreRule | { readonly mistake: string } {
  const lower = text.toLowerCase();
  const kind = ignorableKinds.find((one) => lower === one || lower.startsWith(`${one} `));
  if (kind === undefined) return { mistake: unknownKind(text) };
  const name = text.slice(kind.length).trim();
  if (name === '') return { mistake: `expected a name after ${kind}, as in "${kind} audit_*"` };
  if (kind === '*' && /^\*+$/.test(name)) return { mistake: 'would pass over everything there is' };
  if (kind !== 'grant') return { text, kind, name: glob(name) };
  const match = /^(?:(\S+) on )?(.+) to (.+)$/i.exec(name);
  if (match === null) return { mistake: 'expected grant <name> to <role>, as in "grant * to reporter"' };
  const [, privilege = '*', what = '', role = ''] = match;
  return { text, kind, name: glob(what), privilege: glob(privilege.toUpperCase()), role: glob(role) };
}

function unknownKind(text: string): string {
  const words = text.toLowerCase().split(' ');
  const kinds = ignorableKinds.filter((kind) => kind !== '*');
  const meant = [1, 2, 3].flatMap((some) => nearest(words.slice(0, some).join(' '), kinds) ?? [])[0];
  if (meant !== undefined) return `unknown kind ${JSON.stringify(words[0])}; did you mean ${meant}?`;
  return `expected a kind and a name, as in "table events_*"; kinds: ${ignorableKinds.join(', ')}`;
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's');
}

/** The first entry that names the object, the one it is a part of, or the schema it lies in. */
export function ignoredBy(rules: readonly IgnoreRule[], object: CatalogObject): IgnoreRule | undefined {
  const [holder, schema] = [holderOf(object), schemaOf(object)];
  return rules.find(({ kind, name }) => {
    if (kind === 'grant' || kind === 'comment') return false;
    if (kind === 'schema')
      return schema !== undefined && matches(name, { kind, name: quoteIdentifier(schema) });
    if ((kind === '*' || kind === object.kind) && matches(name, object)) return true;
    return holder !== undefined && holders.includes(kind) && matches(name, { kind: 'table', name: holder });
  });
}

/** The first entry that names a grant on the object. */
export function grantIgnoredBy(
  rules: readonly IgnoreRule[],
  object: CatalogObject,
  { role, privilege }: { readonly role: string; readonly privilege: string },
): IgnoreRule | undefined {
  return rules.find(
    (rule) =>
      rule.kind === 'grant' &&
      rule.role?.test(role) === true &&
      rule.privilege?.test(privilege.split(' ')[0] ?? '') === true &&
      matches(rule.name, object),
  );
}

/** The first entry that names the object's comment. */
export function commentIgnoredBy(
  rules: readonly IgnoreRule[],
  object: CatalogObject,
): IgnoreRule | undefined {
  return rules.find(({ kind, name }) => kind === 'comment' && matches(name, object));
}

function matches(name: RegExp, object: Pick<CatalogObject, 'kind' | 'name'>): boolean {
  return spellingsOf(object).some((spelling) => name.test(spelling));
}
