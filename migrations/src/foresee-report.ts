import { count } from '@lockstep/foundation';
import type { Foresight } from './foresee.ts';
import type { Report, ReportNames } from './report.ts';

/** `recreate --dry-run` and `undo --dry-run`. */
export function reportForesight(
  { database, migrations, kept }: Foresight,
  command: 'recreate' | 'undo',
  { service }: ReportNames,
): Report {
  const name = service ?? database;
  const text =
    command === 'recreate'
      ? `${name} would be recreated with ${count(migrations, 'migration')}; the database as it is would be kept`
      : `${name} would be ${kept} again; the present one would be kept`;
  return {
    text: `${text}\n  nothing was changed`,
    json: { service: service ?? null, database, migrations, kept: kept ?? null, dryRun: true },
  };
}
