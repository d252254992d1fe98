import { isJsonObject, type Json } from '../json.ts';
import { type HclBlock, HclError, type HclItem, type HclValue, isBlock, parseHcl } from './hcl.ts';

/** What a policy may allow on a path, as Vault names it. `subscribe` and `recover` allow nothing in this server. */
export const capabilities = [
  'create',
  'read',
  'update',
  'patch',
  'delete',
  'list',
  'sudo',
  'deny',
  'subscribe',
  'recover',
] as const;
export type Capability = (typeof capabilities)[number];

/** One `path` of a policy. `pattern` may end in `*` and hold `+` for whole segments. */
export interface PathRule {
  readonly pattern: string;
  readonly capabilities: ReadonlySet<Capability>;
}

/** The text is no policy this server can honour; the message says where and why. */
export class PolicyError extends Error {}

/** What the old word `policy` meant, from Vault before 0.5. */
const oldPolicies: Readonly<Record<string, readonly Capability[]>> = {
  deny: ['deny'],
  read: ['read', 'list'],
  write: ['create', 'read', 'update', 'delete', 'list'],
  sudo: ['create', 'read', 'update', 'delete', 'list', 'sudo'],
};

/** Settings that restrict. To drop one silently would allow more than the policy says, so each is refused. */
const restrictions = new Set([
  'allowed_parameters',
  'denied_parameters',
  'required_parameters',
  'min_wrapping_ttl',
  'max_wrapping_ttl',
  'mfa_methods',
  'control_group',
]);

const longestPolicy = 1024 * 1024;

/**
 * Parses a policy, HCL or JSON.
 *
 * @throws {PolicyError} on what Vault refuses (syntax, unknown keys and capabilities, `+*`), and on what it knows but
 * this server does not (parameter rules, wrapping, templates)
 */
export function parsePolicy(text: string): PathRule[] {
  return parseBlock(text).items.flatMap((item) => {
    const [key, ...labels] = item.keys;
    if (key === 'name') return [];
    if (key !== 'path') throw new PolicyError(`At ${item.at}: invalid key ${quote(key)}, expected "path"`);
    return pathItems(item, labels).map(([path, block]) => rule(path, block));
  });
}

function parseBlock(text: string): HclBlock {
  if (text.length > longestPolicy) throw new PolicyError('the policy is longer than 1 MB');
  try {
    if (!/^\s*\{/.test(text.replace(/^\uFEFF/, ''))) return parseHcl(text);
    const json = JSON.parse(text) as Json;
    return isJsonObject(json) ? blockOf(json) : { items: [] };
  } catch (error) {
    if (error instanceof HclError) throw new PolicyError(error.message);
    if (error instanceof SyntaxError) throw new PolicyError('invalid JSON');
    throw error;
  }
}

/** `path "a" { }` gives one pair; `path = { "a" = { } }` and JSON's `"path": {"a": {}}` give one for each. */
function pathItems(item: HclItem, labels: readonly string[]): [string, HclBlock][] {
  const values = Array.isArray(item.value) ? item.value : [item.value];
  return values.flatMap((value): [string, HclBlock][] => {
    if (!isBlock(value)) throw new PolicyError(`At ${item.at}: expected a block after "path"`);
    const [label, ...rest] = labels;
    if (rest.length > 0) throw new PolicyError(`At ${item.at}: expected one path, found ${labels.length}`);
    if (label !== undefined) return [[label, value]];
    return value.items.flatMap((inner) => pathItems(inner, inner.keys));
  });
}

function rule(path: string, block: HclBlock): PathRule {
  const refuse = (problem: string) => new PolicyError(`path ${quote(path)}: ${problem}`);
  if (path.includes('{{')) throw refuse('templates are not supported by the embedded development Vault');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refuse('holds a control character');
  if (path.includes('+*')) throw refuse("invalid use of wildcards ('+*' is forbidden)");
  const found = new Set<Capability>();
  const seen = new Set<string>();
  for (const { keys, value } of block.items) {
    const key = keys.join(' ');
    if (seen.has(key)) throw refuse(`${quote(key)} is given twice`);
    seen.add(key);
    if (keys[0] !== undefined && restrictions.has(keys[0])) {
      throw refuse(`${keys[0]} is not supported by the embedded development Vault`);
    }
    if (key === 'comment') continue;
    if (key === 'policy') for (const capability of oldPolicy(value, refuse)) found.add(capability);
    else if (key === 'capabilities') for (const capability of listed(value, refuse)) found.add(capability);
    else throw refuse(`invalid key ${quote(key)}`);
  }
  return { pattern: path.replace(/^\//, ''), capabilities: found.has('deny') ? new Set(['deny']) : found };
}

function oldPolicy(value: HclValue, refuse: (problem: string) => PolicyError): readonly Capability[] {
  const meant =
    typeof value === 'string' && Object.hasOwn(oldPolicies, value) ? oldPolicies[value] : undefined;
  if (meant === undefined) throw refuse(`invalid policy ${JSON.stringify(value)}`);
  return meant;
}

function listed(value: HclValue, refuse: (problem: string) => PolicyError): Capability[] {
  if (!Array.isArray(value)) throw refuse('capabilities must be a list');
  return value.map((item) => {
    const capability = capabilities.find((known) => known === item);
    if (capability === undefined) throw refuse(`invalid capability ${JSON.stringify(item)}`);
    return capability;
  });
}

function blockOf(object: { readonly [key: string]: Json }, depth = 0): HclBlock {
  if (depth > 32) throw new PolicyError('too deeply nested');
  const items = Object.entries(object).map(([key, value]) => ({
    keys: [key],
    value: hclValue(value, depth + 1),
    at: quote(key),
  }));
  return { items };
}

function hclValue(value: Json, depth: number): HclValue {
  if (depth > 32) throw new PolicyError('too deeply nested');
  if (value === null) throw new PolicyError('null is no value in a policy');
  if (typeof value !== 'object') return value;
  return isJsonObject(value) ? blockOf(value, depth) : value.map((item) => hclValue(item, depth + 1));
}

function quote(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}
