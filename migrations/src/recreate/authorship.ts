import { DatabaseError } from 'pg';
import type { Tables } from '../history.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { Session } from '../session.ts';
import { canSign, eraseMark, type Mark, modulo, readMark, signText } from './mark.ts';

/** The tables of the history are lockstep's own, whoever writes in them. */
export type OwnTables = Pick<Tables, 'version' | 'history'>;

/**
 * What is in a database that had the name. `own`: lockstep alone wrote in it, from migrations and seeds; `changed`: somebody did since
 * it got the name, or nothing proves the contrary; `held`: nobody did since undo or restore gave it the name, and before that
 * somebody had, last at `until`.
 */
export type Authorship =
  | { readonly kind: 'own' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'held'; readonly until: string };

/** Reads whose work the session's database holds. Nobody else may be writing meanwhile. */
export async function readAuthorship(session: Session, tables: OwnTables): Promise<Authorship> {
  const mark = await orUndefined(() => readMark(session, tables.history));
  if (mark === undefined || !(await isUntouched(session, mark, tables))) return { kind: 'changed' };
  return mark.held === undefined ? { kind: 'own' } : { kind: 'held', until: mark.held };
}

/**
 * To be called under the lock before lockstep writes in a database that has the name: returns the SQL that signs each of its
 * transactions. When somebody wrote there since the mark, the mark goes: what lockstep updates would else hide it.
 */
export async function beginOwnWork(session: Session, tables: OwnTables): Promise<string> {
  const mark = await orUndefined(() => readMark(session, tables.history));
  if (mark === undefined) return '';
  if ((await canSign(session)) && (await isUntouched(session, mark, tables))) return signText(tables.history);
  await orUndefined(() => eraseMark(session, tables.history));
  return '';
}

/**
 * Whether each row and object since the mark is the work of a transaction that lockstep signed. Rows that were only deleted do not count:
 * what migrations inserted, migrations insert again. Nor do indexes, which hold no rows of their own.
 *
 * Certain when true. Any doubt is false: a table closed to this role, row security in the way, a large object (which only a superuser
 * may look into), many transactions since, a look that takes too long.
 */
async function isUntouched(session: Session, mark: Mark, tables: OwnTables): Promise<boolean> {
  const found = await orUndefined(async () => {
    await session.query('begin');
    try {
      // An error instead of rows that are silently left out.
      await session.query(`set local row_security = off; set local statement_timeout = ${longestLook}`);
      // A file without a page holds no row, and most tables of a schema that is being developed are that.
      const own = await session.query(
        `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and pg_relation_size(c.oid) > 0
           and c.oid is distinct from to_regclass($1)::oid and c.oid is distinct from to_regclass($2)::oid`,
        [tables.version, tables.history],
      );
      const places = [
        ...catalogs,
        ...own.map(({ schema, name }) => [
          [schema, name].map((part) => quoteIdentifier(String(part))).join('.'),
          'true',
        ]),
      ];
      const changes = places.map(([table = '', where = '']) => changed(table, where, mark)).join(' or ');
      const [row] = await session.query(
        `select pg_snapshot_xmax(pg_current_snapshot())::text::numeric - ${mark.since} > ${longestAge}
           or exists (select from pg_catalog.pg_largeobject_metadata) or ${changes} as touched`,
      );
      return row;
    } finally {
      await session.query('rollback');
    }
  });
  return found?.['touched'] === false;
}

/** Milliseconds: what is not looked through by then counts as changed. */
const longestLook = 10_000;
/** Half of {@link modulo} is where an old id turns young. */
const longestAge = 1_000_000_000;

/** With which of their rows count. What VACUUM and ANALYZE change in these, they change in place. */
const catalogs = [
  ['pg_catalog.pg_class', "relkind not in ('i', 'I', 't')"],
  [
    'pg_catalog.pg_attribute',
    "not exists (select from pg_catalog.pg_class c where c.oid = attrelid and c.relkind in ('i', 'I', 't'))",
  ],
  ...['type', 'proc', 'namespace', 'attrdef', 'rewrite', 'trigger', 'policy', 'enum', 'constraint'].map(
    (name) => [`pg_catalog.pg_${name}`, 'true'],
  ),
] as const;

/** An updated row is a new row; freezing keeps the id that inserted it. */
function changed(table: string, where: string, { since, own }: Mark): string {
  const spell = (id: bigint) => `'${id % modulo}'`;
  const singles = own.filter(([first, last]) => first === last).map(([first]) => spell(first));
  const spans = own.filter(([first, last]) => first !== last);
  const foreign = [
    ...(singles.length === 0 ? [] : [`not t.xmin = any (array[${singles.join(', ')}]::xid[])`]),
    ...spans.map(
      ([first, last]) =>
        `not (age(t.xmin) <= age(${spell(first)}::xid) and age(t.xmin) >= age(${spell(last)}::xid))`,
    ),
  ];
  const conditions = [`age(t.xmin) < age(${spell(since)}::xid)`, where, ...foreign];
  return `exists (select from only ${table} t where ${conditions.join(' and ')})`;
}

async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}
