import { createHash } from 'node:crypto';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { DatabaseError } from 'pg';
import { ApprovalMissingError, UsageError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { DatabaseState } from '../history.ts';
import { type Migration, titleOf } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Plan, Step, Target } from '../plan.ts';
import type { Session } from '../session.ts';
import type { Decision } from '../strategy.ts';

/** Said of a step whose file asks for no transaction: a comment does, of which its checksum says nothing. */
export const outsideLine = 'runs outside a transaction, as its file asks: a failure leaves it half done';

/** A plan as a person signs it off: what would run, where, and how carefully. */
export interface PlannedRun {
  readonly service: string | null;
  readonly database: DatabaseIdentity;
  readonly environment: string | null;
  readonly strategy: {
    readonly name: string;
    readonly backup: string;
    readonly validation: string;
    readonly approval: string;
  };
  /** As the command spells it: `up`, `up 2`, `down 1`, `goto 12`, `rollback 12`. */
  readonly target: string;
  readonly decision: Decision;
  readonly from: string | null;
  readonly to: string | null;
  readonly steps: readonly PlannedStep[];
}

/** Which database it is, whatever its address: a copy of it, or another one under its name, has another identity. */
export interface DatabaseIdentity {
  readonly name: string;
  readonly oid: number;
  /** Of the whole cluster; null where this role may not ask. */
  readonly system: string | null;
  readonly table: string;
}

export interface PlannedStep {
  readonly direction: string;
  readonly version: string;
  readonly description: string;
  /** Of the statements of its file. */
  readonly checksum: string;
  readonly statements: number;
  readonly risks: readonly string[];
}

const format = 1;

/** Describes what a run would do now. */
export async function planRun(
  operation: Operation,
  session: Session,
  run: {
    readonly state: DatabaseState;
    readonly plan: Plan;
    readonly target: Target;
    readonly decision: Decision;
    readonly migrations: readonly Migration[];
  },
): Promise<PlannedRun> {
  const { settings } = operation;
  const { state, plan, migrations } = run;
  const { name, backup, validation, approval } = settings.strategy;
  const { risksOf } = await import('./risks.ts');
  const risks = await risksOf(plan.steps, migrations);
  return {
    service: settings.service ?? null,
    database: {
      name: state.database,
      oid: state.oid,
      system: await systemOf(session),
      table: state.tables.version,
    },
    environment: settings.environment ?? null,
    strategy: { name, backup, validation, approval },
    target: spellTarget(run.target),
    decision: run.decision,
    from: spellVersion(plan.from),
    to: spellVersion(plan.to),
    steps: plan.steps.map((step, index) => planStep(step, risks[index]?.lines ?? [])),
  };
}

/** Identifies the plan: whoever approves one can compare these few characters. */
export function digestOf(run: PlannedRun): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(run)))
    .digest('hex');
}

/** Writes the plan, whole or not at all. */
export async function writePlanFile(path: string, run: PlannedRun): Promise<void> {
  const text = JSON.stringify(
    { format, createdAt: new Date().toISOString(), ...ordered(run), digest: digestOf(run) },
    undefined,
    2,
  );
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, `${text}\n`, { flag: 'wx' });
    // Whatever the umask: others may read what they are to sign off, and not change it.
    await chmod(partial, 0o644);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the plan cannot be written to ${showPath(path)}: ${reason}`, 'migrate plan --help');
  }
}

/**
 * Reads a plan that was signed off.
 *
 * @throws {UsageError} when there is no such file or it is no plan
 * @throws {ApprovalMissingError} when it was changed after it was written
 */
export async function readPlanFile(path: string): Promise<PlannedRun> {
  const shown = showPath(path);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the approved plan ${shown} cannot be read: ${reason}`, 'migrate plan --help');
  }
  if (!isPlanFile(value))
    throw new UsageError(`${shown} is no plan that migrate plan --out wrote`, 'migrate plan --help');
  const run = ordered(value);
  if (digestOf(run) !== value.digest) {
    const reason = 'its digest is not that of what it says';
    throw new ApprovalMissingError(`the approved plan ${shown} was changed`, [reason], 'migrate plan --out');
  }
  return run;
}

/**
 * Makes sure that what would run now is what was approved.
 *
 * @param landed how many steps of it a run before a lost connection had done already
 * @throws {ApprovalMissingError} that names what differs
 */
export function requireApproved(approved: PlannedRun, now: PlannedRun, landed = 0): void {
  const rest = {
    ...approved,
    steps: approved.steps.slice(landed),
    from: landed > 0 ? now.from : approved.from,
  };
  const lines = [
    ...differing('the database', rest.database, now.database),
    ...differing('the environment', rest.environment, now.environment),
    ...differing('the strategy', rest.strategy, now.strategy),
    ...differing('the target', rest.target, now.target),
    ...differing('what becomes of it', rest.decision, now.decision),
    ...differing('the version before', rest.from, now.from),
    ...stepDifferences(rest.steps, now.steps),
  ];
  if (lines.length === 0) return;
  const fact = 'what would run is not what was approved';
  throw new ApprovalMissingError(fact, [...lines, 'nothing was changed'], 'migrate plan --out');
}

function stepDifferences(approved: readonly PlannedStep[], now: readonly PlannedStep[]): string[] {
  const spell = (steps: readonly PlannedStep[]) =>
    steps.length === 0 ? 'none' : steps.map(({ version, direction }) => `${version} ${direction}`).join(', ');
  if (spell(approved) !== spell(now)) return differing('the steps', spell(approved), spell(now));
  return now.flatMap((step, index) => {
    const before = approved[index];
    const title = `${titleOf({ ...step, label: step.version })} (${step.direction})`;
    if (step.checksum !== before?.checksum) return [`${title} was edited after the approval`];
    return step.risks.includes(outsideLine) && !before.risks.includes(outsideLine)
      ? [`${title} runs outside a transaction, as it did not when it was approved`]
      : [];
  });
}

function differing(what: string, approved: unknown, now: unknown): string[] {
  const [before, after] = [JSON.stringify(approved), JSON.stringify(now)];
  return before === after ? [] : [`${what}: approved ${before}, now ${after}`];
}

function planStep(step: Step, risks: readonly string[]): PlannedStep {
  const { direction, version, description, file } = step;
  return {
    direction,
    version: String(version),
    description,
    checksum: file.checksum,
    statements: file.statements.length,
    risks,
  };
}

/** `up 2`, as on the command line. */
export function spellTarget(target: Target): string {
  switch (target.kind) {
    case 'latest':
      return 'up';
    case 'goto':
      return `${target.downOnly === true ? 'rollback' : 'goto'} ${target.version}`;
    default:
      return `${target.kind} ${target.steps}`;
  }
}

function spellVersion(version: bigint | undefined): string | null {
  return version === undefined || version < 0n ? null : String(version);
}

/** The same fields in the same order, however the file had them. */
function ordered(run: PlannedRun): PlannedRun {
  const { service, database, environment, strategy, target, decision, from, to, steps } = run;
  const { name, oid, system, table } = database;
  const { backup, validation, approval } = strategy;
  return {
    service,
    database: { name, oid, system, table },
    environment,
    strategy: { name: strategy.name, backup, validation, approval },
    target,
    decision,
    from,
    to,
    steps: steps.map(({ direction, version, description, checksum, statements, risks }) => {
      return { direction, version, description, checksum, statements, risks };
    }),
  };
}

function isPlanFile(value: unknown): value is PlannedRun & { readonly digest: string } {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const isObject = (name: string) => typeof fields.get(name) === 'object' && fields.get(name) !== null;
  const steps = fields.get('steps');
  return (
    fields.get('format') === format &&
    typeof fields.get('digest') === 'string' &&
    isObject('database') &&
    isObject('strategy') &&
    Array.isArray(steps) &&
    steps.every((step) => typeof step === 'object' && step !== null)
  );
}

async function systemOf(session: Session): Promise<string | null> {
  try {
    const [row] = await session.query('select system_identifier::text as system from pg_control_system()');
    return String(row?.['system']);
  } catch (error) {
    if (error instanceof DatabaseError) return null;
    throw error;
  }
}
