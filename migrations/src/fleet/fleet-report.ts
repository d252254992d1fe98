import { count } from '@lockstep/foundation';
import { jsonVersion } from '../json.ts';
import type { Report, ReportNames } from '../report.ts';
import type { FleetEntry, FleetResult } from './fleet.ts';

/** How many failures are told with their words; the rest is in the JSON document. */
const mostTold = 20;

/** `up --databases`: what became of how many, and of each that failed why. */
export function reportFleet(result: FleetResult, { service }: ReportNames): Report {
  const { entries, interrupted } = result;
  const of = (...outcomes: FleetEntry['outcome'][]) =>
    entries.filter(({ outcome }) => outcomes.includes(outcome));
  const failed = of('failed');
  const left = of('not run', 'interrupted');
  const seconds = result.milliseconds / 1000;
  const parts = [
    `${of('migrated', 'recreated').length} migrated`,
    `${of('nothing to do').length} had nothing to do`,
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
    ...(left.length === 0 ? [] : [`${left.length} not run`]),
  ];
  const told = failed
    .slice(0, mostTold)
    .flatMap(({ name, failure }) => [
      `  ${name}: ${failure?.message ?? ''}`,
      ...(failure?.evidence ?? []).slice(0, 3).map((line) => `    ${line}`),
    ]);
  return {
    text: [
      `${service ?? 'fleet'}: ${count(entries.length, 'database')}: ${parts.join(', ')}; ${seconds.toFixed(1)} s`,
      ...told,
      ...(failed.length > mostTold ? [`  and ${failed.length - mostTold} more; --format json has all`] : []),
      ...(failed.length + left.length === 0 ? [] : ['  run it again: what is done is passed over']),
    ].join('\n'),
    json: {
      service: service ?? null,
      total: entries.length,
      migrated: of('migrated', 'recreated').length,
      failed: failed.length,
      notRun: left.length,
      milliseconds: Math.round(result.milliseconds),
      databases: entries.map(({ name, outcome, steps, to, milliseconds, failure }) => ({
        name,
        outcome,
        steps,
        to: jsonVersion(to),
        milliseconds: Math.round(milliseconds),
        error:
          failure === undefined
            ? null
            : { code: failure.code, message: failure.message, evidence: [...failure.evidence] },
      })),
    },
    exitStatus: statusOf(failed, left.length, interrupted?.exitStatus),
  };
}

/** That of the failures when they are of one kind, 1 when they differ; that of the signal when it was interrupted. */
function statusOf(failed: readonly FleetEntry[], left: number, interrupted: number | undefined): number {
  if (interrupted !== undefined && left > 0) return interrupted;
  const statuses = new Set(failed.map(({ failure }) => failure?.exitStatus ?? 1));
  const [only = 0] = statuses;
  return statuses.size > 1 ? 1 : only;
}
