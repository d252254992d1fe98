import { Failure } from '@lockstep/foundation';
import { parseTableName, quoteIdentifier } from './identifiers.ts';

/** Whatever runs one query: a client or a pool of pg. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>;
}

/** What an app needs of its schema. */
export interface Requirement {
  readonly service: string;
  /** The version of the newest migration that the app was built for. */
  readonly requiredVersion: bigint;
  /** `table` or `schema.table`; golang-migrate's `schema_migrations` when absent. */
  readonly table?: string;
}

export type SchemaNotReadyCode = 'schema-absent' | 'schema-unreadable' | 'schema-dirty' | 'schema-older';

/** The schema is absent, dirty or older than the app needs: the app must not listen. */
export class SchemaNotReadyError extends Failure {
  declare readonly code: SchemaNotReadyCode;
  /** What the receipt says; undefined when there is none, or it says that nothing is applied. */
  readonly version: bigint | undefined;

  constructor(
    code: SchemaNotReadyCode,
    fact: string,
    service: string,
    { version, cause }: { version?: bigint; cause?: unknown } = {},
  ) {
    super(fact, {
      code,
      exitStatus: 3,
      hint: `make ${code === 'schema-dirty' ? 'db-migrate-status' : 'db-migrate-up'} SERVICE=${service}`,
      cause,
    });
    this.version = version;
  }
}

/**
 * Reads the receipt that the migrator left, with the app's own role and one query; returns the schema's version.
 *
 * The receipt is golang-migrate's row. A schema newer than required is no mistake: the app may be an older replica.
 *
 * @throws {SchemaNotReadyError} when the app must not serve
 * @throws what `client` throws, when Postgres itself is the trouble
 */
export async function checkReceipt(
  client: Queryable,
  { service, requiredVersion, table = 'schema_migrations' }: Requirement,
): Promise<{ version: bigint }> {
  const name = parseTableName(table);
  if ('rule' in name) throw new RangeError(`the table's name: ${name.rule}`);
  const quoted = [name.schema, name.name].filter((part) => part !== undefined).map(quoteIdentifier);
  const { rows } = await client
    .query(`select version::text as version, dirty from ${quoted.join('.')} limit 2`)
    .catch((error: unknown) => {
      throw explain(error, service, table);
    });
  const [row] = rows;
  if (row === undefined) {
    throw new SchemaNotReadyError(
      'schema-absent',
      `${service} was never migrated: ${table} is empty`,
      service,
    );
  }
  const receipt = rows.length > 1 ? 'it has several rows, and a receipt is one' : readReceipt(row);
  if (typeof receipt === 'string') {
    throw new SchemaNotReadyError('schema-unreadable', `${table} is no receipt: ${receipt}`, service);
  }
  const { version, dirty } = receipt;
  if (dirty) {
    const at = version < 0n ? 'none' : version;
    const fact = `the schema of ${service} is dirty at ${at}: a migration began and did not finish`;
    throw new SchemaNotReadyError('schema-dirty', fact, service, version < 0n ? {} : { version });
  }
  if (version < requiredVersion) {
    const fact = `the schema of ${service} is at ${version} and the app needs ${requiredVersion}`;
    throw new SchemaNotReadyError('schema-older', fact, service, { version });
  }
  return { version };
}

/** The receipt, or why the row is none: a table of that name may be another tool's. */
function readReceipt(row: unknown): { version: bigint; dirty: boolean } | string {
  const { version, dirty } = Object(row) as Record<string, unknown>;
  return /^-?\d+$/.test(String(version)) && typeof dirty === 'boolean'
    ? { version: BigInt(String(version)), dirty }
    : 'its row is not a number and a truth value';
}

/** 42P01 no such table, 3F000 no such schema, 42501 not permitted, 42703 another tool's table. */
function explain(error: unknown, service: string, table: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === '42P01' || code === '3F000') {
    return new SchemaNotReadyError(
      'schema-absent',
      `${service} was never migrated: there is no ${table}`,
      service,
      { cause: error },
    );
  }
  if (code === '42501' || code === '42703') {
    const reason = error instanceof Error ? error.message : '';
    return new SchemaNotReadyError('schema-unreadable', `${table} cannot be read: ${reason}`, service, {
      cause: error,
    });
  }
  return error;
}
