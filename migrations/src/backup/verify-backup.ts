import { type Catalog, type CatalogObject, toCatalog } from '../catalog/catalog.ts';
import { compareCatalogs, describeDifferences } from '../catalog/differences.ts';
import { withScratch } from '../catalog/scratch.ts';
import { showPath } from '../folder.ts';
import type { DatabaseState } from '../history.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { type Contents, readContents } from './contents.ts';
import { BackupUnverifiedError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { restoreInto } from './restore-into.ts';
import { type Backup, requireWhole } from './store.ts';

/**
 * Restores a backup into a scratch database and compares schema and rows with what it was taken of.
 *
 * On another server (setting `scratchUrl`) the roles of this one need not exist: owners and privileges are left out there.
 *
 * @param rehearse runs in the copy, once it is known to be one
 * @throws {BackupUnverifiedError} when something differs or Postgres refuses it
 */
export async function verifyBackup(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  backup: Backup,
  contents: Contents,
  rehearse?: (copy: Session) => Promise<void>,
): Promise<void> {
  await requireWhole(backup);
  const elsewhere = operation.settings.scratch !== undefined;
  await withScratch(
    operation,
    session,
    state.tables.schema,
    async (scratch) => {
      const scratched = await scratch.connect();
      try {
        const refused = await restoreInto(operation, scratched, backup, { withoutRoles: elsewhere });
        if (refused !== undefined) throw new BackupUnverifiedError(showPath(backup.path), refused);
        const found = await readSnapshot(scratched, state);
        const lines = elsewhere
          ? differences(backup.manifest, withoutRoles(contents), withoutRoles(found))
          : differences(backup.manifest, contents, found);
        if (lines.length > 0) throw new BackupUnverifiedError(showPath(backup.path), lines);
        await rehearse?.(scratched);
      } finally {
        await scratched.close();
      }
    },
    'empty',
  );
}

/** Reads both in one snapshot of their own. */
export async function readSnapshot(session: Session, { tables }: DatabaseState): Promise<Contents> {
  await session.query('begin isolation level repeatable read read only');
  try {
    return await readContents(session, tables);
  } finally {
    await session.query('rollback').catch(() => {});
  }
}

function differences({ withoutRows }: Manifest, expected: Contents, found: Contents): string[] {
  return [
    ...describeDifferences(compareCatalogs(expected.catalog, found.catalog), 10),
    ...rowDifferences(expected.rows, found.rows, withoutRows),
  ];
}

/** Tables whose number of rows is not the expected one; those whose rows were left out must be empty. */
export function rowDifferences(
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
  withoutRows: readonly string[],
): string[] {
  return [...expected].flatMap(([table, rows]) => {
    const wanted = withoutRows.includes(table) ? 0 : rows;
    const there = found.get(table);
    return there === wanted ? [] : [`${table}: expected ${wanted} rows, found ${there ?? 'no table'}`];
  });
}

function withoutRoles({ catalog, rows }: Contents): Contents {
  return { catalog: stripped(catalog), rows };
}

function stripped({ objects }: Catalog): Catalog {
  const left = [...objects.values()].filter(({ kind }) => kind !== 'default privileges');
  return toCatalog(
    left.map((object): CatalogObject => {
      const { owner: _owner, privileges: _privileges, ...properties } = object.properties;
      return { ...object, properties };
    }),
  );
}
