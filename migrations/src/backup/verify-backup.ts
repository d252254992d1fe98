import { type Catalog, type CatalogObject, toCatalog } from '../catalog/catalog.ts';
import { compareCatalogs, describeDifferences } from '../catalog/differences.ts';
import { withScratch } from '../catalog/scratch.ts';
import { showPath } from '../folder.ts';
import type { DatabaseState } from '../history.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { type Contents, readContents } from './contents.ts';
import { BackupUnverifiedError } from './errors.ts';
import { type Reach, restorable } from './reach.ts';
import { restoreInto } from './restore-into.ts';
import { type Backup, requireWhole } from './store.ts';

/**
 * What runs in the restored copy.
 *
 * @param comparable leaves out of a catalog what the copy cannot have
 */
export type Rehearse = (copy: Session, comparable: (catalog: Catalog) => Catalog) => Promise<void>;

/**
 * Restores a backup into a scratch database and compares schema and rows with what it was taken of.
 *
 * On another server (setting `scratchUrl`) the roles of this one need not exist: owners and privileges are left out there. So they are
 * where something belongs to a role that this one may not act as; and what only a superuser can make is not restored here.
 *
 * @param rehearse runs in the copy, once it is known to be one
 * @throws {BackupUnverifiedError} when something differs or Postgres refuses it
 */
export async function verifyBackup(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  {
    backup,
    contents,
    reach,
  }: { readonly backup: Backup; readonly contents: Contents; readonly reach: Reach },
  rehearse?: Rehearse,
): Promise<void> {
  await requireWhole(backup);
  const rolesDiffer = operation.settings.scratch !== undefined || reach.hasOtherRoles;
  await withScratch(
    operation,
    session,
    state.tables.schema,
    async (scratch) => {
      const scratched = await scratch.connect();
      try {
        const refused = await restoreInto(operation, scratched, backup, { withoutRoles: rolesDiffer, reach });
        if (refused !== undefined) throw new BackupUnverifiedError(showPath(backup.path), refused);
        const found = await readSnapshot(scratched, state);
        const comparable = (catalog: Catalog) => {
          const made = restorable(catalog, reach);
          return rolesDiffer ? withoutRoles(made) : made;
        };
        const [expected, there] = [comparable(contents.catalog), comparable(found.catalog)];
        const lines = [
          ...describeDifferences(compareCatalogs(expected, there), 10),
          ...rowDifferences(contents.rows, found.rows, backup.manifest.withoutRows),
        ];
        if (lines.length > 0) throw new BackupUnverifiedError(showPath(backup.path), lines);
        await rehearse?.(scratched, comparable);
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

function withoutRoles({ objects }: Catalog): Catalog {
  const left = [...objects.values()].filter(({ kind }) => kind !== 'default privileges');
  return toCatalog(
    left.map((object): CatalogObject => {
      const { owner: _owner, privileges: _privileges, ...properties } = object.properties;
      return { ...object, properties };
    }),
  );
}
