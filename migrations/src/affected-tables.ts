import { compareCatalogs } from './catalog/differences.ts';
import { readCatalog } from './catalog/read-catalog.ts';
import type { DatabaseState } from './history.ts';
import type { Session } from './session.ts';

/** Reads the schema now; the function it returns reads it again, and names the tables in which the two differ. */
export async function watchTables(
  session: Session,
  { tables }: DatabaseState,
): Promise<() => Promise<readonly string[]>> {
  const before = await readCatalog(session, tables);
  return async () => {
    const differences = compareCatalogs(before, await readCatalog(session, tables));
    const names = differences.flatMap(({ object }) => {
      const { of: holder } = object.properties;
      return holder ?? (object.kind === 'table' ? object.name : []);
    });
    return [...new Set(names)].sort();
  };
}
