import type { DatabaseState } from '../history.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { isRecord } from '../json-file.ts';
import type { Session } from '../session.ts';
import type { DependencyFile } from './dependency-file.ts';

/**
 * How far a service's database is, for the migrators of other services on the same server: kept as the comment of the database,
 * which every role can read from every database. Published by services whose folder has a dependencies.json.
 */
export interface Receipt {
  readonly service: string;
  readonly database: string;
  /** -1n for none. */
  readonly version: bigint;
  readonly dirty: boolean;
  /** By service the highest version that what is applied here needs. */
  readonly needs: ReadonlyMap<string, bigint>;
}

const mark = 'lockstep ';

/** Reads the receipts of all databases of the server but those that a recreate keeps or makes. */
export async function readReceipts(session: Session): Promise<Receipt[]> {
  const rows = await session.query(
    `select d.datname::text as database, s.description as comment
     from pg_database d join pg_shdescription s on s.objoid = d.oid and s.classoid = 'pg_database'::regclass
     where s.description like 'lockstep {%' and d.datname !~ '__(before|new|scratch)_[0-9]{8}T[0-9]{6}'`,
  );
  return rows.flatMap(({ database, comment }) => parseReceipt(String(database), String(comment)) ?? []);
}

/** Undefined for what somebody else wrote. */
export function parseReceipt(database: string, comment: string): Receipt | undefined {
  try {
    const value: unknown = JSON.parse(comment.slice(mark.length));
    if (!isRecord(value) || !isRecord(value['needs'])) return undefined;
    const { service, version, dirty } = value;
    if (typeof service !== 'string' || typeof version !== 'string' || typeof dirty !== 'boolean')
      return undefined;
    const needs = Object.entries(value['needs']).map(
      ([name, needed]) => [name, BigInt(String(needed))] as const,
    );
    return { service, database, version: BigInt(version), dirty, needs: new Map(needs) };
  } catch {
    return undefined;
  }
}

export function spellReceipt({ service, version, dirty, needs }: Omit<Receipt, 'database'>): string {
  const spelled = Object.fromEntries([...needs].map(([name, needed]) => [name, String(needed)]));
  return `${mark}${JSON.stringify({ service, version: String(version), dirty, needs: spelled })}`;
}

/** What was published, or why it was not. */
export type Publishing = 'published' | 'current' | 'another comment is there' | 'not the owner';

/** Writes the receipt of the session's database where it says something else by now. */
export async function publishReceipt(
  session: Session,
  service: string,
  { database, history }: Pick<DatabaseState, 'database' | 'history'>,
  file: DependencyFile,
): Promise<Publishing> {
  const version = history.current?.version ?? -1n;
  const needs = new Map<string, bigint>();
  for (const [at, list] of file.needs) {
    if (at > version) continue;
    for (const need of list)
      if (need.version > (needs.get(need.service) ?? -1n)) needs.set(need.service, need.version);
  }
  const text = spellReceipt({ service, version, dirty: history.current?.dirty === true, needs });
  const [row] = await session.query(
    `select shobj_description(oid, 'pg_database') as comment, pg_has_role(datdba, 'usage') as owner
     from pg_database where datname = current_database()`,
  );
  const comment = row?.['comment'];
  if (comment === text) return 'current';
  if (typeof comment === 'string' && !comment.startsWith(mark)) return 'another comment is there';
  if (row?.['owner'] !== true) return 'not the owner';
  await session.query(`comment on database ${quoteIdentifier(database)} is ${quoteLiteral(text)}`);
  return 'published';
}
