import { RecreateRefusedError, type RefusedError } from './errors.ts';
import type { Anomaly, Plan, Target } from './plan.ts';

export const environments = ['development', 'staging', 'production'] as const;
export type Environment = (typeof environments)[number];

export const approaches = ['aggressive', 'careful', 'conservative'] as const;
/** The name of a strategy, as MIGRATION_APPROACH spells it. */
export type Approach = (typeof approaches)[number];

export const backupKinds = ['none', 'incremental', 'full'] as const;
export type BackupKind = (typeof backupKinds)[number];

/** Each level has the checks of the one before it, and more. */
export const validations = ['minimal', 'moderate', 'extensive'] as const;
export type Validation = (typeof validations)[number];

export const approvals = ['none', 'prompt', 'manual'] as const;
export type Approval = (typeof approvals)[number];

/** How boldly to migrate. */
export interface Strategy {
  readonly name: Approach;
  /** For waiting, Vault, lock and SQL together. */
  readonly timeoutMilliseconds: number;
  /** How long a statement may queue for a table lock before it steps aside and is tried again; undefined: to the deadline. */
  readonly lockTimeoutMilliseconds: number | undefined;
  /** What is saved before anything is changed. */
  readonly backup: BackupKind;
  /** How much is checked before and after; preflight.ts lists the checks of each level. */
  readonly validation: Validation;
  /** Who says yes to the plan. */
  readonly approval: Approval;
  /** Whether what cannot be recorded (audit sink, verified backup) keeps the run from starting. */
  readonly insists: boolean;
  /** Where a database that is dirty, edited, missing or out of order is recreated; refused elsewhere. */
  readonly recreatesIn: readonly Environment[];
}

/** Every strategy there is. Each value but the last two can be overridden by a setting of its name. */
export const strategies = {
  aggressive: {
    name: 'aggressive',
    timeoutMilliseconds: 30_000,
    lockTimeoutMilliseconds: undefined,
    backup: 'none',
    validation: 'minimal',
    approval: 'none',
    insists: false,
    recreatesIn: ['development'],
  },
  careful: {
    name: 'careful',
    timeoutMilliseconds: 300_000,
    lockTimeoutMilliseconds: 10_000,
    backup: 'incremental',
    validation: 'moderate',
    approval: 'prompt',
    insists: false,
    recreatesIn: [],
  },
  conservative: {
    name: 'conservative',
    timeoutMilliseconds: 900_000,
    lockTimeoutMilliseconds: 3000,
    backup: 'full',
    validation: 'extensive',
    approval: 'manual',
    insists: true,
    recreatesIn: [],
  },
} as const satisfies Record<Approach, Strategy>;

/** The strategy of an environment when none is asked for. */
const usual: Record<Environment, Approach> = {
  development: 'aggressive',
  staging: 'careful',
  production: 'conservative',
};

/** What chooses a strategy: the wish, else the environment, else aggressive. */
export function chooseStrategy(
  approach: Approach | undefined,
  environment: Environment | undefined,
): Strategy {
  return strategies[approach ?? (environment === undefined ? 'aggressive' : usual[environment])];
}

/** Whether `validation` includes the checks of `level`. */
export function includes(validation: Validation, level: Validation): boolean {
  return validations.indexOf(validation) >= validations.indexOf(level);
}

/** Whether a strategy promises anything around the steps themselves. */
export function isGuarded({ backup, validation, approval }: Strategy): boolean {
  return backup !== 'none' || validation !== 'minimal' || approval !== 'none';
}

/** What a strategy makes of a plan. */
export type Decision = 'rest' | 'apply' | 'recreate';

/** Chooses without throwing: `refuse` stands for what {@link decide} throws. */
export function judge(
  strategy: Strategy,
  plan: Plan,
  target: Target,
  environment: Environment | undefined,
): Decision | 'refuse' {
  if (plan.anomalies.length === 0) return plan.steps.length === 0 ? 'rest' : 'apply';
  return mayRecreate(strategy, target, environment) ? 'recreate' : 'refuse';
}

/** Whether a run to `target` may build the database anew when it must. */
export function mayRecreate(
  strategy: Strategy,
  target: Target,
  environment: Environment | undefined,
): boolean {
  return target.kind === 'latest' && environment !== undefined && strategy.recreatesIn.includes(environment);
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
  throw refuse(plan.anomalies, refusalReason(strategy, target, environment));
}

/** Why a strategy refuses where it could have recreated. */
export function refusalReason(
  strategy: Strategy,
  target: Target,
  environment: Environment | undefined,
): string {
  if (environment === undefined) {
    return 'not recreated: no environment was stated (MIGRATION_ENVIRONMENT), and only development is recreated';
  }
  if (environment !== 'development') {
    return `not recreated: the environment is ${environment}, and only development is recreated`;
  }
  if (!strategy.recreatesIn.includes(environment))
    return `not recreated: the ${strategy.name} strategy never does`;
  return `not recreated: only up without a number recreates, and this is ${target.kind}${'steps' in target ? ' with one' : ''}`;
}

/**
 * Whatever replaces a database is for development alone.
 *
 * @throws {RecreateRefusedError}
 */
export function requireDevelopment(
  { strategy, environment }: { readonly strategy: Strategy; readonly environment: Environment | undefined },
  command: string,
): void {
  if (environment !== undefined && strategy.recreatesIn.includes(environment)) return;
  const reason =
    environment === undefined
      ? 'no environment was stated'
      : environment === 'development'
        ? `the ${strategy.name} strategy never does it`
        : `the environment is ${environment}`;
  throw new RecreateRefusedError(`${command} is for development, and ${reason}`, [
    'the environment is stated by MIGRATION_ENVIRONMENT or --environment',
  ]);
}
