import { recordsIn } from '../bookkeeping.ts';
import type { Tables } from '../history.ts';
import { quoteLiteral } from '../identifiers.ts';
import type { Session } from '../session.ts';

/** The receipt (golang-migrate's row) says another version than the rows of the history, and golang-migrate did not write it. */
export interface Disagreement {
  /** Undefined when the row is gone, or says none. */
  readonly receipt: bigint | undefined;
  /** The highest version that the history holds as applied. */
  readonly history: bigint;
}

/** What was read of the two tables. */
export interface Readings {
  readonly tables: Tables;
  readonly receipt: { readonly version: bigint; readonly dirty: boolean } | undefined;
  readonly hasReceiptTable: boolean;
  /** The highest version that is applied; undefined when none is, or some step began and did not finish. */
  readonly top: bigint | undefined;
  /** The versions that have a file; undefined where no files were read. */
  readonly files: ReadonlySet<bigint> | undefined;
}

/**
 * Compares the receipt with the history.
 *
 * golang-migrate, which knows no history, may have moved its row on: up, down, by `force`. It empties its table with TRUNCATE and
 * writes the row in the same transaction, which shows in the catalog: such a row counts, whatever the history says, also when
 * somebody has changed it since. So does any row above the history whose version has a file. Every other row that is not the highest of the history was changed by hand, and is wrong:
 * lockstep writes both in one transaction.
 * https://github.com/golang-migrate/migrate/blob/v4.17.1/database/postgres/postgres.go (SetVersion)
 */
export async function findDisagreement(
  session: Session,
  readings: Readings,
): Promise<Disagreement | undefined> {
  const { tables, receipt, hasReceiptTable, top, files } = readings;
  if (top === undefined || receipt?.dirty === true) return undefined;
  const version = receipt === undefined || receipt.version < 0n ? undefined : receipt.version;
  if (version === top) return undefined;
  if (version !== undefined && version > top && (files === undefined || files.has(version))) return undefined;
  const found = { receipt: version, history: top };
  if (!hasReceiptTable) return found;
  // Both tables at one moment: they were read one after the other, and a migrator may be at work.
  const [row] = await session.query(
    `select v.version::text as version, h.top::text as top, c.relfilenode <> c.oid and case when v.version is null
         then pg_relation_size(c.oid) = 0 and age(c.xmin) < h.newest
         else age(c.xmin) < h.newest or v.xmin::text = c.xmin::text end as truncated
       from pg_class c
         cross join (select max(version) as top, min(age(xmin)) as newest from ${tables.history} where statements_applied is null) h
         left join (select version, xmin from ${tables.version} limit 1) v on true
       where c.oid = to_regclass(${quoteLiteral(tables.version)})`,
  );
  const now = row?.['version'] ?? undefined;
  const unchanged =
    row?.['top'] === String(top) && now === (receipt === undefined ? undefined : String(receipt.version));
  return unchanged && row?.['truncated'] !== true ? found : undefined;
}

/** Has the receipt say what the history says; the table must be there, and `lock` held. */
export async function healReceipt(
  session: Session,
  tables: Tables,
  { history }: Disagreement,
  lock: bigint,
): Promise<void> {
  await session.query('begin');
  try {
    await session.query(recordsIn(tables, lock).forced(history));
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** `the receipt says 12, and the history 15` */
export function describeDisagreement({ receipt, history }: Disagreement): string {
  return `the receipt says ${receipt ?? 'none'}, and the history ${history}`;
}
