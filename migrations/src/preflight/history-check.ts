import { count } from '@lockstep/foundation';
import type { Migration } from '../migration.ts';
import type { Anomaly } from '../plan.ts';
import { describeAnomalies } from '../refusal.ts';
import { type Check, type Finding, failed, note, ok } from './check.ts';

/** Nothing dirty, edited, missing or out of order, as far as the plan touches it. */
export const historyCheck: Check = {
  name: 'history',
  level: 'minimal',
  look: async ({ plan, decision, state, migrations }) => {
    if (plan.anomalies.length === 0)
      return ok(`clean, ${count(state.history.applied.length, 'migration')} recorded`);
    if (decision === 'recreate')
      return describeAnomalies(plan.anomalies, state).flatMap((line) => note(line));
    return plan.anomalies.slice(0, 10).flatMap((anomaly): readonly Finding[] => {
      const [line = ''] = describeAnomalies([anomaly], state);
      const remedy = remedyFor(anomaly, migrations);
      return failed(remedy === undefined ? line : `${line}; ${remedy}`, anomaly.kind === 'dirty' ? 5 : 6);
    });
  },
};

function remedyFor(anomaly: Anomaly, migrations: readonly Migration[]): string | undefined {
  if (anomaly.kind === 'dirty') return 'migrate resolve shows what landed';
  if (anomaly.kind !== 'out of order') return undefined;
  const { label, up, down } = anomaly.migration;
  const next = nextLabel(migrations, label);
  const renames = [up, down].flatMap((file) =>
    file === undefined
      ? []
      : [`git mv ${file.path} ${file.path.replace(file.name, next + file.name.slice(label.length))}`],
  );
  return renames.join(' && ');
}

/** The number after the highest, as wide as the one it replaces. */
export function nextLabel(migrations: readonly Migration[], label: string): string {
  const highest = migrations.at(-1)?.version ?? 0n;
  return String(highest + 1n).padStart(label.length, '0');
}
