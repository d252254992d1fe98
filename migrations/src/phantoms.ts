import { type AppliedStep, applySteps } from './apply.ts';
import { downFile } from './down-file.ts';
import { MigrationFailedError } from './errors.ts';
import { IrreversibleError } from './file-errors.ts';
import type { DatabaseState } from './history.ts';
import { quoteLiteral } from './identifiers.ts';
import { lockOptions } from './lock-options.ts';
import { type Loss, lossesOf } from './lossless.ts';
import { type Migration, type SqlFile, type Statement, titleOf } from './migration.ts';
import type { Operation } from './operation.ts';
import { computePlan, type History, type Step } from './plan.ts';
import type { Session } from './session.ts';
import { readStandings, type Standing } from './standing.ts';

/** Why phantoms stay, or the steps that took them back. */
export type TakenBack = { readonly steps: readonly AppliedStep[] } | { readonly reason: string };

/**
 * Takes back the migrations that are applied and have no file (another branch's), by the down SQL that the history keeps, when that
 * deletes nothing: a table must be empty, a column empty in every row, both looked at under a lock in the step's own transaction.
 * Else a recreate is the better way: it keeps the database as it was.
 *
 * `state` was read under the lock, with down SQL. Each step is recorded as always.
 */
export async function takeBackPhantoms(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
): Promise<TakenBack> {
  if (state.history.current?.dirty === true) return { reason: 'the database is dirty' };
  const standings = readStandings(migrations, state.history);
  const applied = standings.versions.filter((standing) => standing.applied).reverse();
  const kept = applied.findIndex(({ migration }) => migration !== undefined);
  const phantoms = kept === -1 ? applied : applied.slice(0, kept);
  // What is out of order may be so because of them alone.
  const left = computePlan(migrations, withoutThem(state, phantoms, applied[kept]), {
    kind: 'latest',
  }).anomalies;
  const [other] = left;
  if (other !== undefined) return { reason: `something is ${other.kind} all the same` };
  const steps: Step[] = [];
  for (const [index, phantom] of phantoms.entries()) {
    const file = carefully(phantom);
    if ('reason' in file) return { reason: `${titleOf(phantom)}: ${file.reason}` };
    const { version, label, description } = phantom;
    const resultVersion = applied[index + 1]?.version ?? -1n;
    steps.push({ direction: 'down', version, label, description, file: file.file, resultVersion });
  }
  const taken: AppliedStep[] = [];
  try {
    await applySteps(operation, session, {
      steps,
      migrations,
      tables: state.tables,
      role: state.role,
      from: state.history.current?.version,
      applied: taken,
      lock: lockOptions(operation, state).key,
    });
  } catch (error) {
    if (!(error instanceof MigrationFailedError)) throw error;
    const [place = ''] = error.evidence;
    return { reason: place.replace(/^\S+ {2}/, '').replace(/ \([0-9A-Z]{5}\)$/, '') || error.message };
  }
  return { steps: taken };
}

/** The history as it would be. */
function withoutThem(
  { history }: DatabaseState,
  phantoms: readonly Standing[],
  kept: Standing | undefined,
): History {
  const gone = new Set(phantoms.map(({ version }) => version));
  return {
    ...history,
    current: kept === undefined ? undefined : { version: kept.version, dirty: false },
    applied: history.applied.filter(({ version }) => !gone.has(version)),
  };
}

/** The down file with what must hold before it; or why it is not run. */
function carefully(phantom: Standing): { readonly file: SqlFile } | { readonly reason: string } {
  let file: SqlFile;
  try {
    file = downFile(phantom);
  } catch (error) {
    if (error instanceof IrreversibleError) return { reason: 'it has no down SQL' };
    throw error;
  }
  const losses: Loss[] = [];
  for (const statement of file.statements) {
    if (statement.outsideTransaction !== undefined)
      return { reason: 'its down SQL runs outside a transaction' };
    if (statement.control !== undefined) return { reason: 'its down SQL has transactions of its own' };
    const found = lossesOf(statement);
    if (typeof found === 'string') return { reason: found };
    losses.push(...found);
  }
  return { file: { ...file, statements: [...guards(losses), ...file.statements] } };
}

function guards(losses: readonly Loss[]): Statement[] {
  if (losses.length === 0) return [];
  // Rows that a policy hides would not be seen; with this it is an error.
  const texts = ['set local row_security = off'];
  for (const { table, column } of losses) {
    const where = column === undefined ? '' : ` where ${column} is not null`;
    const what = column === undefined ? `${table} has rows` : `${table}.${column} has values`;
    texts.push(
      `lock table ${table} in access exclusive mode`,
      `do ${quoteLiteral(`begin if exists (select from ${table}${where}) then raise exception ${quoteLiteral(what.replaceAll('%', '%%'))}; end if; end`)}`,
    );
  }
  return texts.map((text) => ({ text, offset: 0, outsideTransaction: undefined }));
}
