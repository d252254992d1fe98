import { createHash } from 'node:crypto';
import type { DatabaseProperties } from '../database-properties.ts';
import type { Layout } from '../layout.ts';
import type { Migration, Statement } from '../migration.ts';
import type { Environment } from '../strategy.ts';

/** Goes up when what a template holds changes although nothing else of its key does. */
const format = 1;

/** All besides the migrations that a migrated database depends on. */
export interface Circumstances {
  /** What it had before its first migration. */
  readonly properties: DatabaseProperties;
  /** Server, roles, settings, extensions that could be installed; see surroundings.ts. */
  readonly surroundings: readonly unknown[];
  readonly trackingSchema: string;
  readonly trackingTable: string;
  readonly layout: Layout;
  readonly environment: Environment | undefined;
  /** For migrations that read the clock: `2025-01-02`. */
  readonly today: string;
}

/**
 * The keys of the databases that the first, the first two, ... of `migrations` make: SHA-256 in hex. Two databases of one key hold
 * the same, but for clocks and random numbers that were read on the same day. Ends before the first migration that does something
 * that a copy of its database would not have, or that reads what no key can know.
 */
export function templateKeys(circumstances: Circumstances, migrations: readonly Migration[]): string[] {
  const { today, ...base } = circumstances;
  const contained = migrations.findIndex(({ up }) => up.statements.some(reachesBeyond));
  const kept = contained === -1 ? migrations : migrations.slice(0, contained);
  let chain = hashOf([format, ...relevant(base)]);
  let clock = false;
  return kept.map(({ label, description, up, down, overlay }) => {
    clock ||= up.statements.some(readsClock);
    chain = hashOf([chain, label, description, up.checksum, down?.text ?? null, overlay ?? null]);
    return clock ? hashOf([chain, today]) : chain;
  });
}

/** What of the properties is inside a database; the rest is set on each copy. */
function relevant({
  properties,
  surroundings,
  trackingSchema,
  ...rest
}: Omit<Circumstances, 'today'>): unknown[] {
  const { owner, encoding, provider, collate, characterType, locale, icuRules, tablespace } = properties;
  const { settings, defaultPrivileges, schemas } = properties;
  const isReproduced = (schema: string | undefined) =>
    schema === undefined || schema === 'public' || schema === trackingSchema;
  return [
    [owner, encoding, provider, collate, characterType, locale, icuRules, tablespace],
    sorted(settings),
    sorted(defaultPrivileges.filter(({ schema }) => isReproduced(schema))),
    sorted(schemas.filter(({ name }) => isReproduced(name))),
    surroundings,
    trackingSchema,
    rest,
  ];
}

/** In an order of their own, lists inside them too: the catalogs have none. */
function sorted(values: readonly unknown[]): string[] {
  const inOrder = (_key: string, value: unknown) => (Array.isArray(value) ? sorted(value) : value);
  return values.map((value) => JSON.stringify(value, inOrder)).sort();
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Objects of the cluster, settings and comments of a database, what lies in other databases or files: none of it is copied. */
const beyond = new RegExp(
  [
    String.raw`\b(alter|comment\s+on|create|drop|on|in|rename)\s+database\b`,
    String.raw`\b(subscription|tablespace|alter\s+system|security\s+label)\b`,
    String.raw`\b(alter\s+(role|user|group)|password)\b`,
    String.raw`dblink|_fdw\b|\bforeign\b(?!\s+keys?\b)|\bpg_(read_|ls_|stat_|create_(logical|physical))|\blo_import\b`,
    String.raw`^copy\b`,
  ].join('|'),
  'is',
);

function reachesBeyond({ text }: Statement): boolean {
  return beyond.test(text);
}

const clockWords =
  /\b(now|current_date|current_time|current_timestamp|localtime|localtimestamp|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\b|'(now|today|tomorrow|yesterday)'/i;
/** What only says what will be done later. */
const declares =
  /^(create\s+(or\s+replace\s+)?((global|local|unlogged)\s+)*(table|function|procedure|view|trigger|rule|policy)|alter\s+table|comment|grant|revoke)\b(?!.*\bas\s+(select|table|values|with|execute)\b)/is;

function readsClock({ text }: Statement): boolean {
  return clockWords.test(text) && !declares.test(text);
}
