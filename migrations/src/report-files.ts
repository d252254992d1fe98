import { count } from '@lockstep/foundation';
import { showPath } from './folder.ts';
import { jsonVersion } from './json.ts';
import { type Migration, titleOf } from './migration.ts';
import type { Report, ReportNames } from './report.ts';

/** `validate`, when every file is right. */
export function reportValidation(
  path: string,
  migrations: readonly Migration[],
  { service }: ReportNames,
): Report {
  const irreversible = migrations.filter(({ down }) => down === undefined);
  const outside = migrations.filter(({ up }) =>
    up.statements.some(({ outsideTransaction }) => outsideTransaction !== undefined),
  );
  const folder = showPath(path);
  return {
    text: [
      `${folder}: ${count(migrations.length, 'migration')}, names and pairs are valid`,
      ...irreversible.map((migration) => `  without a down file: ${titleOf(migration)}`),
      ...outside.map((migration) => `  outside a transaction: ${titleOf(migration)}`),
    ].join('\n'),
    json: {
      service: service ?? null,
      path: folder,
      migrations: migrations.map(({ version, description, down, up }) => ({
        version: jsonVersion(version),
        description,
        reversible: down !== undefined,
        statements: up.statements.length,
        checksum: up.checksum,
      })),
    },
  };
}
