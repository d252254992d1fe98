import { approve, type Consent } from './approval/approve.ts';
import { type PlannedRun, planRun } from './approval/plan-file.ts';
import type { Settings } from './config.ts';
import { requireOwnBackend } from './connection/own-backend.ts';
import { findDependents } from './dependents.ts';
import { ReceiptDisagreesError } from './errors.ts';
import { Guard } from './guard.ts';
import type { PlanResult } from './inspect.ts';
import { planOf, withFilesAndState } from './inspect.ts';
import type { Hooks } from './operation.ts';
import { computePlan, type Plan, type Target } from './plan.ts';
import { preflight } from './preflight/preflight.ts';
import { judge } from './strategy.ts';

/** What is known before anybody is asked. */
export interface Prospect {
  readonly result: PlanResult;
  /** Undefined when there is nothing to do. */
  readonly run: PlannedRun | undefined;
}

/**
 * Looks whether a run to `target` may begin, and what it would do; changes nothing and takes no lock.
 *
 * @throws {PreflightFailedError} with everything that stands in the way
 */
export function lookAhead(settings: Settings, target: Target, hooks: Hooks): Promise<Prospect> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    if (state.disagreement !== undefined) {
      const name = settings.service ?? state.database;
      if (settings.environment !== 'development') throw new ReceiptDisagreesError(name, state.disagreement);
    }
    const stuck = state.history.current?.dirty === true && target.kind !== 'latest' && target.kind !== 'up';
    const plan: Plan = computePlan(migrations, state.history, stuck ? { kind: 'down', steps: 0 } : target);
    const decision = judge(settings.strategy, plan, target, settings.environment);
    const goesDown = plan.steps.some(({ direction }) => direction === 'down');
    const dependents = goesDown ? await findDependents(session, plan.to) : [];
    const result = { ...planOf(settings, state, plan, decision), dependents };
    if (decision === 'rest') return { result, run: undefined };
    // The checks themselves make scratch databases, under locks of their own.
    await requireOwnBackend(session);
    await preflight({ operation, session, state, plan, decision, migrations });
    // What is refused has failed the pre-flight check of the history.
    if (decision === 'refuse') return { result, run: undefined };
    return { result, run: await planRun(operation, session, { state, plan, target, decision, migrations }) };
  });
}

/** What came of asking: a guard that watches over the run, or the news that there is nothing to do. */
export type Permission = { readonly guard: Guard } | { readonly nothing: PlanResult };

/** Gets the run approved, outside any deadline: a person thinks as long as a person thinks. */
export async function askFor(
  settings: Settings,
  target: Target,
  consent: Consent,
  hooks: Hooks,
): Promise<Permission> {
  const { result, run } = await lookAhead(settings, target, hooks);
  if (run === undefined) return { nothing: result };
  return { guard: new Guard(await approve(settings, run, consent, hooks)) };
}
