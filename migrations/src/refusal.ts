import { count } from '@lockstep/foundation';
import { RefusedError } from './errors.ts';
import type { DatabaseState } from './history.ts';
import type { Operation } from './operation.ts';
import type { Anomaly } from './plan.ts';

/** One line for each anomaly. */
export function describeAnomalies(anomalies: readonly Anomaly[], state?: DatabaseState): string[] {
  const shown = anomalies.slice(0, 10).map((anomaly) => describeAnomaly(anomaly, state));
  return anomalies.length > 10 ? [...shown, `and ${anomalies.length - 10} more`] : shown;
}

/** The failure when a strategy may not repair what is wrong with the history. */
export function refusal(
  operation: Operation,
  state: DatabaseState,
  anomalies: readonly Anomaly[],
  reason: string,
  cause?: unknown,
): RefusedError {
  const name = operation.settings.service ?? state.database;
  const dirty = anomalies.find(({ kind }) => kind === 'dirty');
  const fact =
    dirty?.kind === 'dirty'
      ? `${name} is dirty${dirty.version < 0n ? '' : ` at ${dirty.version}`}`
      : `the history of ${name} and its files differ in ${count(anomalies.length, 'place')}`;
  const evidence = [...describeAnomalies(anomalies, state), reason];
  return new RefusedError(fact, anomalies, evidence, operation.command('status'), cause);
}

function describeAnomaly(anomaly: Anomaly, state: DatabaseState | undefined): string {
  switch (anomaly.kind) {
    case 'dirty':
      return describeDirty(anomaly.version, state);
    case 'edited':
      return `edited: ${anomaly.migration.up.path} is not what was applied`;
    case 'missing':
      return `missing: ${anomaly.version}${anomaly.description === '' ? '' : ` ${anomaly.description}`} is applied and has no file`;
    case 'out of order':
      return `out of order: ${anomaly.migration.up.path} is numbered below ${anomaly.appliedAfter}, which is applied`;
  }
}

function describeDirty(version: bigint, state: DatabaseState | undefined): string {
  const interrupted = state?.interrupted;
  if (interrupted === undefined) {
    const at = version < 0n ? 'the step down to nothing' : String(version);
    return `dirty: ${at} began and did not finish; nobody recorded which of its statements landed`;
  }
  const { statements, direction } = interrupted;
  const landed =
    statements === 0 ? 'no statement' : statements === 1 ? 'statement 1' : `statements 1–${statements}`;
  return `dirty: ${interrupted.version} (${direction}) began and did not finish; ${landed} landed, the next may have`;
}
