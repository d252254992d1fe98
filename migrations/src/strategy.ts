import { ApproachUnavailableError, RecreateRefusedError, type RefusedError } from './errors.ts';
import type { Anomaly, Plan, Target } from './plan.ts';

export const environments = ['development', 'staging', 'production'] as const;
export type Environment = (typeof environments)[number];

export const approaches = ['aggressive', 'careful', 'conservative'] as const;
/** The name of a strategy, as MIGRATION_APPROACH spells it. */
export type Approach = (typeof approaches)[number];

/** How boldly to migrate. */
export interface Strategy {
  readonly name: Approach;
  /** For waiting, Vault, lock and SQL together, unless MIGRATION_TIMEOUT says otherwise. */
  readonly timeoutMilliseconds: number;
  readonly backup: 'none' | 'incremental' | 'full';
  readonly validation: 'minimal' | 'moderate' | 'extensive';
  readonly approval: 'none' | 'prompt' | 'manual';
  /** Where a database that is dirty, edited, missing or out of order is recreated; refused elsewhere. */
  readonly recreatesIn: readonly Environment[];
}

/** Every strategy there is. */
export const strategies = {
  aggressive: {
    name: 'aggressive',
    timeoutMilliseconds: 30_000,
    backup: 'none',
    validation: 'minimal',
    approval: 'none',
    recreatesIn: ['development'],
  },
} as const satisfies Partial<Record<Approach, Strategy>>;

/** The strategy of an environment when none is asked for. */
const usual: Record<Environment, Approach> = {
  development: 'aggressive',
  staging: 'careful',
  production: 'conservative',
};

/** What chooses a strategy: the wish, else the environment. */
export interface Choice {
  readonly approach: Approach | undefined;
  readonly environment: Environment | undefined;
}

/** What a strategy makes of a plan. */
export type Decision = 'rest' | 'apply' | 'recreate';

/** @throws {ApproachUnavailableError} when the wanted strategy does not exist yet */
export function chooseStrategy(settings: Choice): Strategy {
  const { approach, environment } = settings;
  const wanted = approach ?? (environment === undefined ? 'aggressive' : usual[environment]);
  const found = Object.values(strategies).find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const reason = approach === undefined && environment !== undefined ? `usual in ${environment}` : undefined;
  throw new ApproachUnavailableError(wanted, Object.keys(strategies), reason);
}

/** Chooses without throwing: `refuse` stands for what {@link decide} throws. */
export function judge(
  strategy: Strategy,
  plan: Plan,
  target: Target,
  environment: Environment | undefined,
): Decision | 'refuse' {
  if (plan.anomalies.length === 0) return plan.steps.length === 0 ? 'rest' : 'apply';
  const mayRecreate = environment !== undefined && strategy.recreatesIn.includes(environment);
  return mayRecreate && target.kind === 'latest' ? 'recreate' : 'refuse';
}

/**
 * Decides what becomes of a plan made under the lock.
 *
 * @throws {RefusedError} when something is dirty, edited, missing or out of order and a recreate is not allowed
 */
export function decide(
  strategy: Strategy,
  plan: Plan,
  target: Target,
  environment: Environment | undefined,
  refuse: (anomalies: readonly Anomaly[], reason: string) => RefusedError,
): Decision {
  const decision = judge(strategy, plan, target, environment);
  if (decision !== 'refuse') return decision;
  throw refuse(plan.anomalies, reasonOf(strategy, target, environment));
}

function reasonOf(strategy: Strategy, target: Target, environment: Environment | undefined): string {
  if (environment === undefined) {
    return 'not recreated: no environment was stated (MIGRATION_ENVIRONMENT), and only development is recreated';
  }
  if (!strategy.recreatesIn.includes(environment)) {
    return `not recreated: the environment is ${environment}, and only development is recreated`;
  }
  return `not recreated: only up without a number recreates, and this is ${target.kind} with one`;
}

/**
 * Whatever replaces a database is for development alone.
 *
 * @throws {RecreateRefusedError} {ApproachUnavailableError}
 */
export function requireDevelopment(settings: Choice, command: string): void {
  const { recreatesIn }: Strategy = chooseStrategy(settings);
  const { environment } = settings;
  if (environment !== undefined && recreatesIn.includes(environment)) return;
  const reason =
    environment === undefined ? 'no environment was stated' : `the environment is ${environment}`;
  throw new RecreateRefusedError(`${command} is for development, and ${reason}`, [
    'the environment is stated by MIGRATION_ENVIRONMENT or --environment',
  ]);
}
