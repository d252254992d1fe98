import { count } from '@lockstep/foundation';
import type { AdoptResult } from './adopt.ts';
import { jsonVersion } from './json.ts';
import type { Report, ReportNames } from './report.ts';

/** What `force` and `baseline` recorded, or would. */
export function reportAdopt(result: AdoptResult, { service }: ReportNames): Report {
  const { database, from, to, recorded, isDryRun } = result;
  const before = from === undefined || from.version < 0n ? 'none' : String(from.version);
  const was = `${before}${from?.dirty === true ? ' (dirty)' : ''}`;
  const verb = isDryRun ? 'would say' : 'says';
  const counted = recorded.length === 0 ? '' : `; ${count(recorded.length, 'migration')} recorded as applied`;
  return {
    text: `the history of ${service ?? database} ${verb} ${to ?? 'none'}, was ${was}${counted}; nothing was run`,
    json: {
      service: service ?? null,
      database,
      from: jsonVersion(from === undefined || from.version < 0n ? undefined : from.version),
      dirty: from?.dirty === true,
      to: jsonVersion(to),
      recorded: recorded.map(({ version }) => jsonVersion(version)),
      dryRun: isDryRun,
    },
  };
}
