import type { DatabaseState, Tables } from './history.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { Migration } from './migration.ts';
import type { Step } from './plan.ts';
import { elapsed, holdLock, landedBefore } from './record-sql.ts';
import { ScriptBookkeeping, scriptTableTexts } from './script-bookkeeping.ts';
import type { Session } from './session.ts';

/** A step, and the migration it belongs to when its file is there. */
export interface TrackedStep {
  readonly step: Step;
  readonly migration: Migration | undefined;
  /** What golang-migrate's row holds before it; undefined when none. */
  readonly from: bigint | undefined;
}

/** A step that ran and is not recorded yet. */
export interface TimedStep extends TrackedStep {
  /** How long it took. */
  readonly milliseconds: number;
  /** How long ago it was done. */
  readonly ago: number;
}

/** The SQL that records steps. Each text belongs into a transaction of the caller. */
export interface Records {
  /** Records a step in the transaction that ran it: it is applied when this commits. */
  landed(step: TrackedStep): string;
  /** Records steps up that share a transaction, in it and behind all of them. */
  landedTogether(steps: readonly TimedStep[]): string;
  /** Before the first statement of a step outside a transaction: dirty from now on. */
  begun(step: TrackedStep): string;
  /** After each statement of such a step that landed. */
  advanced(step: TrackedStep, statements: number): string;
  /** After its last statement: clean again. */
  finished(step: TrackedStep, milliseconds: number): string;
  /** When it failed before anything landed: as if it had never begun. */
  withdrawn(step: TrackedStep): string;
  /** Says that the schema is at `version` (-1 for none), and clean, whatever ran or did not. */
  forced(version: bigint): string;
  /** Records a migration as applied that ran elsewhere, or before anybody counted. */
  adopted(migration: Migration): string;
}

/**
 * The records of the state's layout.
 *
 * @param lock the key of the lock that each record takes once more, in case the step let go of it
 * @param sign SQL that goes with each record of a transaction that ran statements; see recreate/authorship.ts
 */
export function recordsIn(tables: Tables, lock: bigint | undefined, sign = ''): Records {
  const records =
    tables.nameColumn === undefined ? new Bookkeeping(tables, lock) : new ScriptBookkeeping(tables, lock);
  return sign === '' ? records : signed(records, sign);
}

function signed(records: Records, sign: string): Records {
  return {
    landed: (step) => `${records.landed(step)}; ${sign}`,
    landedTogether: (steps) => `${records.landedTogether(steps)}; ${sign}`,
    advanced: (step, statements) => `${records.advanced(step, statements)}; ${sign}`,
    begun: (step) => records.begun(step),
    finished: (step, milliseconds) => records.finished(step, milliseconds),
    withdrawn: (step) => records.withdrawn(step),
    forced: (version) => records.forced(version),
    adopted: (migration) => records.adopted(migration),
  };
}

/** Records by version: golang-migrate's row, and ours beside it. */
class Bookkeeping implements Records {
  readonly #tables: Tables;

  readonly #hold: string;

  constructor(tables: Tables, lock: bigint | undefined) {
    this.#tables = tables;
    this.#hold = holdLock(lock);
  }

  landed({ step, migration }: TrackedStep): string {
    const { history } = this.#tables;
    const row =
      step.direction === 'down'
        ? `delete from ${history} where version = ${step.version}`
        : `insert into ${history} (version, description, checksum, down_sql, applied_at, duration) values
           (${rowOf(step, migration)}, clock_timestamp(), ${elapsed})`;
    return `${this.#hold}${this.#setVersion(step.resultVersion, false)}; ${row}`;
  }

  landedTogether(steps: readonly TimedStep[]): string {
    const rows = steps.map(
      ({ step, migration, milliseconds, ago }) =>
        `(${rowOf(step, migration)}, ${landedBefore(ago)}, ${Math.round(milliseconds)})`,
    );
    const version = this.#setVersion(steps.at(-1)?.step.resultVersion ?? -1n, false);
    return `${this.#hold}${version}; insert into ${this.#tables.history}
      (version, description, checksum, down_sql, applied_at, duration) values ${rows.join(', ')}`;
  }

  begun({ step, migration }: TrackedStep): string {
    const { history } = this.#tables;
    const row =
      step.direction === 'down'
        ? `update ${history} set statements_applied = 0 where version = ${step.version}`
        : `insert into ${history} (version, description, checksum, down_sql, statements_applied) values
           (${rowOf(step, migration)}, 0)`;
    return `${this.#setVersion(step.resultVersion, true)}; ${row}`;
  }

  advanced({ step }: TrackedStep, statements: number): string {
    return `${this.#hold}update ${this.#tables.history} set statements_applied = ${statements} where version = ${step.version}`;
  }

  finished({ step }: TrackedStep, milliseconds: number): string {
    const { history } = this.#tables;
    const row =
      step.direction === 'down'
        ? `delete from ${history} where version = ${step.version}`
        : `update ${history} set statements_applied = null, applied_at = clock_timestamp(),
           duration = ${Math.round(milliseconds)} where version = ${step.version}`;
    return `${this.#hold}${this.#setVersion(step.resultVersion, false)}; ${row}`;
  }

  withdrawn({ step, from }: TrackedStep): string {
    const { history } = this.#tables;
    const row =
      step.direction === 'down'
        ? `update ${history} set statements_applied = null where version = ${step.version}`
        : `delete from ${history} where version = ${step.version}`;
    return `${this.#setVersion(from ?? -1n, false)}; ${row}`;
  }

  forced(version: bigint): string {
    const { history } = this.#tables;
    return `${this.#hold}${this.#setVersion(version, false)}; delete from ${history} where version > ${version};
      update ${history} set statements_applied = null, applied_at = coalesce(applied_at, clock_timestamp())
      where statements_applied is not null`;
  }

  adopted({ version, description, up, down }: Migration): string {
    const texts = [description, up.checksum, down?.text].map((text) =>
      text === undefined ? 'null' : quoteLiteral(text),
    );
    return `insert into ${this.#tables.history} (version, description, checksum, down_sql, applied_at)
      values (${version}, ${texts.join(', ')}, clock_timestamp())`;
  }

  /**
   * The row as golang-migrate's SetVersion leaves it. It truncates; DELETE locks out no reader, so that the gate of an
   * app can be passed while a long step runs.
   */
  #setVersion(version: bigint, dirty: boolean): string {
    const { version: table } = this.#tables;
    const insert =
      version >= 0n || dirty ? `; insert into ${table} (version, dirty) values (${version}, ${dirty})` : '';
    return `delete from ${table}${insert}`;
  }
}

/**
 * Makes the tables when they are absent, and rows for what golang-migrate applied; deletes rows that no longer count.
 * Costs nothing when all is in order. Needs the lock.
 */
export async function prepareTables(
  session: Session,
  { tables, present, stale, history }: Pick<DatabaseState, 'tables' | 'present' | 'stale' | 'history'>,
  adopted: readonly Migration[],
): Promise<void> {
  const texts: string[] = [];
  if (!present.schema) texts.push(`create schema if not exists ${quoteIdentifier(tables.schema)}`);
  if (tables.nameColumn !== undefined) texts.push(...scriptTableTexts({ tables, present }));
  else if (!present.version) {
    texts.push(
      `create table ${tables.version} (version bigint not null primary key, dirty boolean not null)`,
    );
  }
  if (tables.nameColumn === undefined && !present.history) {
    texts.push(
      `create table ${tables.history} (version bigint not null primary key, description text not null, checksum text,
         applied_at timestamptz, duration integer, down_sql text, statements_applied integer)`,
      `comment on column ${tables.history}.duration is 'milliseconds'`,
      `comment on column ${tables.history}.statements_applied is
         'set while a step outside a transaction runs: how many of its statements landed'`,
    );
  }
  if (stale) {
    texts.push(
      `delete from ${tables.history} where version > ${history.current?.version ?? -1n}
         or (statements_applied is not null and applied_at is null)`,
      `update ${tables.history} set statements_applied = null where statements_applied is not null`,
    );
  }
  for (const migration of adopted) {
    const { version, description, down } = migration;
    texts.push(
      `insert into ${tables.history} (version, description, down_sql)
         values (${version}, ${quoteLiteral(description)}, ${down === undefined ? 'null' : quoteLiteral(down.text)})`,
    );
  }
  if (texts.length === 0) return;
  await session.query('begin');
  try {
    for (const text of texts) await session.query(text);
    if (!present.version || !present.history) await closeToWriters(session, tables);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/**
 * Default privileges would let the app's role write its own receipt: it keeps SELECT alone, and of the history all but the down
 * SQL, which is nobody's but the owner's.
 */
async function closeToWriters(session: Session, tables: Tables): Promise<void> {
  const grants = await session.query(
    `select distinct c.relname, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end as grantee,
       bool_or(a.privilege_type = 'SELECT') over (partition by c.oid, a.grantee) as reads,
       (select case when bool_or(attname = 'down_sql')
          then '(' || string_agg(quote_ident(attname), ', ') filter (where attname <> 'down_sql') || ')' else '' end
        from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
     from pg_class c cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
     where c.oid in ($1::regclass, $2::regclass) and a.grantee <> c.relowner
       and pg_has_role(current_user, c.relowner, 'USAGE') and r.rolname is distinct from current_user`,
    [tables.version, tables.history],
  );
  for (const { relname, grantee, reads, columns } of grants) {
    const table = `${quoteIdentifier(tables.schema)}.${quoteIdentifier(String(relname))}`;
    await session.query(`revoke all on ${table} from ${String(grantee)}`);
    if (reads === true)
      await session.query(`grant select ${String(columns)} on ${table} to ${String(grantee)}`);
  }
}

function rowOf({ version, description }: Step, migration: Migration | undefined): string {
  const texts = [description, migration?.up.checksum, migration?.down?.text];
  return [version, ...texts.map((text) => (text === undefined ? 'null' : quoteLiteral(text)))].join(', ');
}
