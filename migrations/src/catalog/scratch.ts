import { randomBytes } from 'node:crypto';
import { DatabaseError } from 'pg';
import { requireOwnBackend } from '../connection/own-backend.ts';
import { escapePattern } from '../database-names.ts';
import { type DatabaseProperties, type Grant, readProperties } from '../database-properties.ts';
import { createDatabase, reproduceInside } from '../database-reproduction.ts';
import { DatabaseRefusedError } from '../errors.ts';
import { bytesOf, longestIdentifier, quoteIdentifier } from '../identifiers.ts';
import { lockKey } from '../lock.ts';
import { connectMaintenance, dropDatabase, findDatabases } from '../maintenance.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { ScratchUnavailableError } from './errors.ts';

/** A database of one run alone, empty at first, gone after it. */
export interface Scratch {
  readonly name: string;
  connect(): Promise<Session>;
}

const suffix = '__scratch_20000101T000000_00000000';

/**
 * Makes a database as `session`'s was before its first migration (locale, grants, default privileges), runs `work`, and drops it
 * however `work` ends. It stands on the same server, or on that of the setting `scratchUrl`.
 *
 * Each run holds a lock on the name of its own, so that what killed runs left behind can be told from what is in use, and
 * is dropped here.
 *
 * @param trackingSchema the schema of the tracking tables, which is made too
 * @param begins `empty` for what brings its own grants and schemas, such as a dump
 * @throws {ScratchUnavailableError} where this role may not make databases
 */
export async function withScratch<T>(
  operation: Operation,
  session: Session,
  trackingSchema: string,
  work: (scratch: Scratch) => Promise<T>,
  begins: 'prepared' | 'empty' = 'prepared',
): Promise<T> {
  const { deadline, settings } = operation;
  const { database } = session.parameters;
  const properties = await deadline.during('database', () => readProperties(session));
  const place = settings.scratch;
  const maintenance = await (place === undefined
    ? connectMaintenance(operation, database)
    : operation.connectTo(place)
  ).catch((error: unknown) => {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    throw new ScratchUnavailableError(database, error.message, error);
  });
  try {
    await sweep(maintenance, database);
    const name = nameFor(database, new Date());
    await requireOwnBackend(maintenance);
    await maintenance.query('select pg_advisory_lock($1)', [String(keyOf(name))]);
    try {
      const connect = () =>
        place === undefined ? operation.connect(name) : operation.connectTo({ ...place, database: name });
      const owned = place === undefined ? properties : await ownedHere(maintenance, properties);
      await deadline.during('sql', () => make(operation, maintenance, name, owned));
      if (begins === 'prepared') await prepare(operation, await connect(), owned, trackingSchema);
      return await work({ name, connect });
    } finally {
      maintenance.settle();
      await dropDatabase(maintenance, name).catch(() => {
        operation.log.debug(`${name} was left behind; the next run that needs one drops it`);
      });
    }
  } finally {
    await maintenance.close();
  }
}

/** `services__scratch_20250102T030405_9f2c01ab`; a long name is cut, as Postgres would cut its end instead. */
function nameFor(database: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+Z$/g, '');
  return `${baseOf(database)}__scratch_${time}_${randomBytes(4).toString('hex')}`;
}

function baseOf(database: string): string {
  let base = database;
  while (bytesOf(base + suffix) > longestIdentifier) base = [...base].slice(0, -1).join('');
  return base;
}

function keyOf(name: string): bigint {
  return lockKey(name, 'scratch', '');
}

/** Drops what killed runs left behind: nobody holds the lock on its name. */
async function sweep(maintenance: Session, database: string): Promise<void> {
  const pattern = `^${escapePattern(baseOf(database))}__scratch_\\d{8}T\\d{6}_[0-9a-f]{8}$`;
  for (const name of await findDatabases(maintenance, pattern)) {
    const key = String(keyOf(name));
    const [row] = await maintenance.query('select pg_try_advisory_lock($1) as free', [key]);
    if (row?.['free'] !== true) continue;
    await dropDatabase(maintenance, name).catch(() => {});
    await maintenance.query('select pg_advisory_unlock($1)', [key]);
  }
}

/** On another server the role that connects there stands for the owner. */
async function ownedHere(maintenance: Session, properties: DatabaseProperties): Promise<DatabaseProperties> {
  const [row] = await maintenance.query('select current_user::text as role');
  const role = String(row?.['role']);
  const renamed = (name: string) => (name === properties.owner ? role : name);
  const regranted = (grants: readonly Grant[]) =>
    grants.map((grant) => ({
      ...grant,
      grantee: isName(grant.grantee, properties.owner) ? quoteIdentifier(role) : grant.grantee,
    }));
  return {
    ...properties,
    owner: role,
    grants: properties.grants && regranted(properties.grants),
    defaultPrivileges: properties.defaultPrivileges.map((entry) => ({
      ...entry,
      role: renamed(entry.role),
      grants: regranted(entry.grants),
    })),
    schemas: properties.schemas.map((schema) => ({
      ...schema,
      owner: renamed(schema.owner),
      grants: schema.grants && regranted(schema.grants),
    })),
  };
}

/** A grantee is quoted only where it must be. */
function isName(grantee: string, name: string): boolean {
  return grantee === name || grantee === quoteIdentifier(name);
}

async function make(
  operation: Operation,
  maintenance: Session,
  name: string,
  properties: DatabaseProperties,
): Promise<void> {
  try {
    await createDatabase(maintenance, name, { ...properties, tablespace: 'pg_default', connectionLimit: -1 });
  } catch (error) {
    if (!(error instanceof DatabaseError) || operation.signal.aborted) throw error;
    const hint = error.code === '42501' ? `: the role ${properties.owner} needs CREATEDB` : '';
    throw new ScratchUnavailableError(
      name.replace(/__scratch_.*/, ''),
      `${error.message} (${error.code})${hint}`,
      error,
    );
  }
}

async function prepare(
  operation: Operation,
  session: Session,
  properties: DatabaseProperties,
  trackingSchema: string,
): Promise<void> {
  try {
    const missed = await operation.deadline.during('sql', () =>
      reproduceInside(session, properties, trackingSchema),
    );
    for (const line of missed) operation.log.debug(`not reproduced in the scratch database: ${line}`);
  } finally {
    await session.close();
  }
}
