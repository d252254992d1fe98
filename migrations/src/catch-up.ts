import type { AppliedStep } from './apply.ts';
import type { History, Plan, Step } from './plan.ts';

/**
 * Brings `applied` in line with the history after a lost connection: adds the steps of `before` that landed unseen, as
 * their COMMIT was answered by silence, and takes out those that the server had confirmed and came back without (restored,
 * a replica that lagged, a disk that lied).
 *
 * @returns how many steps of `before` landed, to count against `up N` and `down N`, and which were lost
 */
export function catchUp(
  applied: AppliedStep[],
  before: Plan,
  history: History,
): { landed: number; lost: readonly Step[] } {
  const landed = countLanded(before, history);
  const known = new Set(applied.map(({ version }) => version));
  const rows = new Map(history.applied.map((row) => [row.version, row]));
  const lost = before.steps.filter(({ version, direction }) => {
    return known.has(version) && rows.has(version) === (direction === 'down');
  });
  const kept = applied.filter(({ version }) => !lost.some((step) => step.version === version));
  const unseen = before.steps.slice(0, landed).filter(({ version }) => !known.has(version));
  applied.splice(
    0,
    applied.length,
    ...kept,
    ...unseen.map(({ direction, version, label, description }) => {
      const milliseconds = rows.get(version)?.durationMilliseconds ?? 0;
      return { direction, version, label, description, milliseconds };
    }),
  );
  return { landed, lost };
}

function countLanded(before: Plan, history: History): number {
  if (history.byName !== undefined) {
    const recorded = new Set(history.applied.map(({ version }) => version));
    const next = before.steps.findIndex(({ version }) => !recorded.has(version));
    return next === -1 ? before.steps.length : next;
  }
  const now = history.current?.version ?? -1n;
  const reached = before.steps.findLastIndex(({ resultVersion }) => resultVersion === now) + 1;
  // The step that left it dirty did not land.
  return history.current?.dirty === true ? Math.max(0, reached - 1) : reached;
}
