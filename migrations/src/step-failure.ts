import type { Failure } from '@lockstep/foundation';
import type { AppliedStep } from './apply.ts';
import { DeadlinePassedError, describeDuration, InterruptedError, MigrationFailedError } from './errors.ts';
import { type Blockage, describeHolder } from './holder.ts';
import { findInvalidIndexes } from './invalid-indexes.ts';
import type { Operation } from './operation.ts';
import type { Step } from './plan.ts';
import type { Session } from './session.ts';
import { markerHint } from './sql/marker-hint.ts';
import { describeSqlError, placeOf } from './sql-evidence.ts';
import type { StepError } from './step.ts';

/** Around a step that failed. */
export interface StepSurroundings {
  readonly operation: Operation;
  readonly session: Session;
  readonly step: Step;
  readonly applied: readonly AppliedStep[];
  readonly rest: readonly Step[];
  readonly database: string;
  readonly blockage?: Blockage | undefined;
}

/** So near the deadline the server's own timeout may fire before ours. */
const sameMoment = 50;

/** Turns the error of a step into what a person reads: what failed where, what landed, what did not run. */
export async function describeStepFailure(error: StepError, around: StepSurroundings): Promise<Failure> {
  const { operation, step } = around;
  const { deadline, signal } = operation;
  const half = halfWay(error);
  const name = nameOf(around);
  const order = orderOf(around);
  const where = error.statement === undefined ? step.file.path : placeOf(step.file, error.statement.offset);
  if (signal.reason instanceof InterruptedError) {
    const ended = half ?? 'it was rolled back and the lock released';
    return new InterruptedError(signal.reason.by, ` while ${name} ran; ${ended}`, [where, ...order]);
  }
  const late = ['57014', '55P03', '40P01', '40001'].includes(error.cause.code ?? '');
  if (signal.aborted || (late && deadline.remaining() < sameMoment)) {
    const ended = half ?? 'was rolled back';
    const blocked = blockedLines(around.blockage);
    return new DeadlinePassedError(
      `${name} was not done after ${describeDuration(deadline.timeoutMilliseconds)} and ${ended}`,
      [`${where}  ${blocked.length > 0 ? 'waited for a lock' : 'was running'}`, ...blocked, ...order],
      blocked.length > 0 ? operation.command('status') : 'a longer --timeout (MIGRATION_TIMEOUT)',
      error,
    );
  }
  const ended =
    half ?? (error.left === 'withdrawn' ? 'failed before it changed anything' : 'failed and was rolled back');
  const invalid = error.left === 'half-way' ? await findInvalidIndexes(around.session) : [];
  const left = [
    ...invalid.map((name) => `it left an invalid index: ${name}`),
    ...(error.left === 'half-way' && /^(call|do)\b/i.test(error.statement?.text ?? '')
      ? ['what it had committed by itself remains']
      : []),
  ];
  const hint = error.left === 'half-way' ? afterHalfWay(around) : markerHint(error, step.file);
  const evidence = [...describeSqlError(step.file, error.statement, error.cause), ...left, ...order];
  return new MigrationFailedError(`${name} ${ended}`, evidence, hint, error);
}

/** When the time is over, or somebody interrupts, between two steps. */
export function describeStop(around: StepSurroundings): Failure {
  const { operation, step } = around;
  const order = orderOf({ ...around, rest: [step, ...around.rest] });
  const { reason } = operation.signal;
  const name = nameOf(around);
  if (reason instanceof InterruptedError) return new InterruptedError(reason.by, ` before ${name}`, order);
  const timeout = describeDuration(operation.deadline.timeoutMilliseconds);
  return new DeadlinePassedError(`the ${timeout} had passed before ${name}`, order, undefined);
}

/** When the server did not even answer that the statement is cancelled. */
export function describeSilence(around: StepSurroundings, cause: Error): Failure {
  const { operation, step } = around;
  const { reason } = operation.signal;
  const name = nameOf(around);
  const evidence = [
    `${step.file.path}  ${cause.message}; only the history knows whether it landed`,
    ...orderOf(around),
  ];
  if (reason instanceof InterruptedError)
    return new InterruptedError(reason.by, ` while ${name} ran`, evidence);
  const timeout = describeDuration(operation.deadline.timeoutMilliseconds);
  return new DeadlinePassedError(
    `${name} was not done after ${timeout}`,
    evidence,
    operation.command('status'),
    cause,
  );
}

function nameOf({ operation, database, step }: StepSurroundings): string {
  return `${operation.settings.service ?? database} ${step.file.name}`;
}

function halfWay({ left, landed, tracked }: StepError): string | undefined {
  if (left !== 'half-way') return undefined;
  const { statements } = tracked.step.file;
  const which = landed === 0 ? 'none' : landed === 1 ? 'statement 1' : `statements 1–${landed}`;
  const dirty = tracked.step.resultVersion;
  const at = dirty < 0n ? 'none' : dirty === tracked.step.version ? tracked.step.label : String(dirty);
  return `failed half-way: ${which} of ${statements.length} landed; the database is dirty at ${at}`;
}

function afterHalfWay({ operation }: StepSurroundings): string | undefined {
  if (operation.settings.environment !== 'development') return 'migrate resolve';
  return `correct the file, then ${operation.command('up')} (builds a new database, keeps this one)`;
}

/** `applied before it: 000005, 000006   not run: 000008` */
function orderOf({ applied, rest }: Pick<StepSurroundings, 'applied' | 'rest'>): string[] {
  const before = applied.length === 0 ? [] : [`applied before it: ${labels(applied)}`];
  const after = rest.length === 0 ? [] : [`not run: ${labels(rest)}`];
  const line = [...before, ...after].join('   ');
  return line === '' ? [] : [line];
}

function labels(steps: readonly { readonly label: string }[]): string {
  const shown = steps.slice(0, 8).map(({ label }) => label);
  return steps.length > 8 ? `${shown.join(', ')} and ${steps.length - 8} more` : shown.join(', ');
}

function blockedLines(blockage: Blockage | undefined): string[] {
  if (blockage === undefined) return [];
  return blockage.holders.map((holder) => `${blockage.on} is locked by ${describeHolder(holder)}`);
}
