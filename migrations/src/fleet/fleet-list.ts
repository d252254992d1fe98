import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { markSecret } from '@lockstep/foundation';
import { type ConnectionParameters, parseConnectionString } from '@lockstep/postgres';
import { UsageError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { Operation } from '../operation.ts';
import { printable } from '../printable.ts';

/** One database of a fleet. */
export interface FleetMember {
  /** As shown: the database's name, with the host where it is another than the configured one. */
  readonly name: string;
  readonly parameters: ConnectionParameters;
}

/** A part of a fleet, of `count` parts of about the same size. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/**
 * Reads which databases a fleet has, each once. `list` is a query, when it begins with SELECT, WITH, VALUES or TABLE, whose first
 * column names them, or a file with one a line, where `#` begins a comment. A name is a database on the configured server, for the
 * configured user; a connection string is one anywhere.
 *
 * @throws {UsageError} when the file cannot be read, a line is wrong, or there is none
 */
export async function readFleet(
  operation: Operation,
  list: string,
  shard: Shard | undefined,
): Promise<FleetMember[]> {
  const isQuery = /^\s*(select|with|values|table)\b/i.test(list);
  const session = await operation.connect();
  let lines: { readonly text: string; readonly place: string }[];
  try {
    lines = isQuery ? await askDatabase(list) : await readLines(list);
  } finally {
    await session.close();
  }
  const members = new Map<string, FleetMember>();
  for (const { text, place } of lines) {
    const member = toMember(text, place, session.parameters);
    const { host, port, database } = member.parameters;
    if (shard === undefined || isIn(shard, `${host} ${port} ${database}`)) {
      members.set(JSON.stringify([host, port, database]), member);
    }
  }
  if (lines.length === 0) {
    throw new UsageError(
      `--databases names none: ${isQuery ? 'the query has no row' : showPath(list)}`,
      hint,
    );
  }
  return [...members.values()];

  async function askDatabase(query: string) {
    await session.query('begin read only');
    const rows = await session.query(query);
    await session.query('rollback');
    return rows.map((row, index) => ({
      text: String(Object.values(row)[0] ?? ''),
      place: `row ${index + 1}`,
    }));
  }
}

const hint = 'migrate up --help';

async function readLines(path: string) {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--databases: ${showPath(path)} cannot be read: ${reason}`, hint);
  });
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), place: `${showPath(path)}:${index + 1}` }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'));
}

function toMember(text: string, place: string, base: ConnectionParameters): FleetMember {
  if (/^postgres(ql)?:\/\/|=/.test(text)) {
    const parameters = parseConnectionString(text);
    if ('rule' in parameters) throw new UsageError(`--databases: ${place}: ${parameters.rule}`, hint);
    if (parameters.password !== undefined) markSecret(parameters.password);
    const elsewhere = parameters.host !== base.host || parameters.port !== base.port;
    const name = printable(
      elsewhere ? `${parameters.database} on ${parameters.host}:${parameters.port}` : parameters.database,
    );
    return { name, parameters };
  }
  if (text === '' || text.includes('\0') || Buffer.byteLength(text) > 63) {
    throw new UsageError(
      `--databases: ${place}: expected the name of a database, or a connection string`,
      hint,
    );
  }
  return { name: printable(text), parameters: { ...base, database: text } };
}

/** By the name, so that it does not matter in which order they come, or whether some are new. */
function isIn({ index, count }: Shard, name: string): boolean {
  return createHash('sha256').update(name).digest().readUInt32BE(0) % count === index;
}
