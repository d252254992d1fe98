import { Failure } from '@lockstep/foundation';
import { DatabaseError } from 'pg';
import { UsageError } from '../errors.ts';
import { parseTableName, quoteIdentifier, spellTableName, type TableName } from '../identifiers.ts';
import type { Session } from '../session.ts';

/** How many rows a table is to have before the plan runs. */
export interface RowWish {
  readonly table: TableName;
  readonly rows: number;
}

/** Rows of a table could not be made up. */
export class FillFailedError extends Failure {
  constructor(table: string, reason: string, cause: unknown) {
    super(`rows of ${table} cannot be made up: ${reason}`, {
      code: 'fill-failed',
      exitStatus: 3,
      evidence: [
        'made-up values are numbers, short texts, times and keys of other tables; a CHECK may want others',
      ],
      hint: 'migrate rehearse --fill FILE, with SQL that makes them',
      cause,
    });
  }
}

const mostRows = 1_000_000_000;

/** Reads `orders=5000000,sales.items=1000`. */
export function parseRows(text: string): RowWish[] {
  return text.split(',').map((part) => {
    const [, name = '', digits = ''] = /^\s*(.+?)\s*=\s*([\d_]+)\s*$/.exec(part) ?? [];
    const table = parseTableName(name);
    const rows = Number(digits.replaceAll('_', ''));
    if (digits === '' || 'rule' in table || !(rows >= 1 && rows <= mostRows)) {
      throw new UsageError(
        `--rows: expected table=number, not ${JSON.stringify(part)}`,
        'migrate rehearse --help',
      );
    }
    return { table, rows };
  });
}

/**
 * Fills a table with rows that are made up from its columns' types; columns with a default or an identity keep that, a foreign key
 * takes keys that are there. False when there is no such table yet.
 *
 * @throws {FillFailedError} when a constraint wants other values
 */
export async function fillTable(session: Session, { table, rows }: RowWish): Promise<boolean> {
  const shown = spellTableName(table);
  const name = [table.schema, table.name]
    .flatMap((part) => (part === undefined ? [] : [quoteIdentifier(part)]))
    .join('.');
  const [found] = await session.query('select to_regclass($1)::int8::text as oid', [name]);
  if (typeof found?.['oid'] !== 'string') return false;
  const columns = await session.query(
    `select a.attname::text as name, a.atttypid::regtype::text as type, t.typcategory::text as category, t.typtype::text as kind,
            a.atttypid::int8::text as type_oid, f.base, f.key
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     left join lateral (
       select c.confrelid::regclass::text as base, k.attname::text as key
       from pg_constraint c join pg_attribute k on k.attrelid = c.confrelid and k.attnum = c.confkey[1]
       where c.conrelid = a.attrelid and c.contype = 'f' and c.conkey = array[a.attnum] limit 1) f on true
     where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped and not a.atthasdef and a.attidentity = ''
       and (a.attnotnull or f.base is not null)
     order by a.attnum`,
    [found['oid']],
  );
  const targets = columns.map(({ name: column }) => quoteIdentifier(String(column)));
  const values = columns.map((column) => madeUp(column));
  // SELECT of no columns is legal, and so is an INSERT into none: each row is of defaults then.
  const into = targets.length === 0 ? '' : ` (${targets.join(', ')})`;
  try {
    await session.query(
      `insert into ${name}${into} select ${values.join(', ')} from generate_series(1, ${rows}) as n`,
    );
    await session.query(`analyze ${name}`);
    return true;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new FillFailedError(shown, `${error.message} (${error.code})`, error);
  }
}

function madeUp(column: Readonly<Record<string, unknown>>): string {
  const { type, category, kind, base, key } = column;
  if (typeof base === 'string') {
    const quoted = quoteIdentifier(String(key));
    return `(select ${quoted} from ${base} order by ${quoted} offset (n % greatest((select count(*) from ${base}), 1)) limit 1)`;
  }
  if (kind === 'e') return `(enum_range(null::${String(type)}))[1]`;
  switch (String(type)) {
    case 'uuid':
      return 'gen_random_uuid()';
    case 'json':
    case 'jsonb':
      return `'{}'::${String(type)}`;
    case 'bytea':
      return "decode(md5(n::text), 'hex')";
    case 'smallint':
      return '(n % 32767)::smallint';
    default:
      break;
  }
  const byCategory: Readonly<Record<string, string>> = {
    N: `n::${String(type)}`,
    B: 'n % 2 = 0',
    S: `('row ' || n)::${String(type)}`,
    D: `(timestamptz '2026-01-01' - n * interval '1 second')::${String(type)}`,
    T: `(n * interval '1 second')`,
    A: `'{}'::${String(type)}`,
  };
  return byCategory[String(category)] ?? `null::${String(type)}`;
}
