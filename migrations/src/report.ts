import { count } from '@lockstep/foundation';
import type { AppliedStep } from './apply.ts';
import { digestOf, type PlannedRun } from './approval/plan-file.ts';
import type { CheckResult } from './check.ts';
import { jsonDependents } from './dependents.ts';
import { showPath } from './folder.ts';
import type { GuardRecord } from './guard.ts';
import { describeDisagreement } from './history/agreement.ts';
import type { HistoryResult, PlanResult, StatusResult, VersionResult } from './inspect.ts';
import { type Json, jsonVersion } from './json.ts';
import type { MigrateResult } from './migrate.ts';
import { ownTransactions, titleOf, wordsOutside } from './migration.ts';
import type { Anomaly, MigrationState, Step } from './plan.ts';
import type { Reasoned } from './recreate/previous.ts';
import { describeAnomalies } from './refusal.ts';
import { columns } from './report-columns.ts';

/** What a command shows: text for people, and the same as one JSON document. */
export interface Report {
  readonly text: string;
  readonly json: Readonly<Record<string, Json>>;
  /** Printed whatever the format: a document of another kind, such as SARIF. */
  readonly document?: string;
  /** When what it reports is a failure that the report itself explains; 0 when absent. */
  readonly exitStatus?: number;
}

/** How to call the command that undoes a recreate. */
export interface ReportNames {
  readonly service: string | undefined;
  readonly undoCommand: string;
}

/** What `up`, `down`, `recreate` and `undo` did. */
export function reportMigrate(result: MigrateResult, names: ReportNames): Report {
  return {
    text: migrateLines(result, names).join('\n'),
    json: {
      service: names.service ?? null,
      database: result.database,
      outcome: result.outcome,
      from: jsonVersion(result.from),
      to: jsonVersion(result.to),
      steps: result.steps.map(({ direction, version, description, milliseconds }) => ({
        direction,
        version: jsonVersion(version),
        description,
        milliseconds: Math.round(milliseconds),
      })),
      takenBack: result.takenBack.map(({ version, description }) => ({
        version: jsonVersion(version),
        description,
      })),
      anomalies: result.anomalies.map(jsonAnomaly),
      ...(result.outcome === 'recreated' ? { fromTemplate: result.copied ?? 0 } : {}),
      kept: result.kept ?? null,
      ...jsonPrevious(result.previous),
      milliseconds: Math.round(result.milliseconds),
      affectedTables: result.affectedTables ?? null,
      ...jsonSafeguards(result.safeguards),
    },
  };
}

/** `status`: one line for each migration. */
export function reportStatus(result: StatusResult, { service }: ReportNames): Report {
  const { migrations, anomalies } = result;
  const pending = migrations.filter(({ state }) => state === 'pending').length;
  const rows = migrations.map((migration) => [
    migration.label,
    migration.description,
    migration.state,
    timeOf(migration.appliedAt),
    migration.durationMilliseconds === undefined ? '' : `${migration.durationMilliseconds} ms`,
  ]);
  return {
    text: [
      `${service ?? result.database} is at ${describeVersion(result)}, ${pending} pending`,
      ...columns([['version', 'description', 'state', 'applied at', 'took'], ...rows]),
      ...(result.disagreement === undefined
        ? []
        : [
            `  ${describeDisagreement(result.disagreement)}: it was changed by hand`,
            '  in development the next up puts it right, elsewhere migrate force',
          ]),
    ].join('\n'),
    json: {
      ...jsonOf(result, service),
      pending,
      migrations: migrations.map(jsonState),
      anomalies: anomalies.map(jsonAnomaly),
    },
  };
}

/** `history`: one line for each row. */
export function reportHistory(result: HistoryResult, { service }: ReportNames): Report {
  const rows = result.applied.map(({ version, description, checksum, appliedAt, durationMilliseconds }) => [
    String(version),
    description,
    timeOf(appliedAt),
    durationMilliseconds === undefined ? '' : `${durationMilliseconds} ms`,
    checksum?.slice(0, 12) ?? 'unknown',
  ]);
  const total = result.applied.reduce((sum, { durationMilliseconds = 0 }) => sum + durationMilliseconds, 0);
  return {
    text: [
      `${service ?? result.database} is at ${describeVersion(result)}; ${count(rows.length, 'migration')} in the history, ${total} ms in all`,
      ...columns([['version', 'description', 'applied at', 'took', 'checksum'], ...rows]),
    ].join('\n'),
    json: {
      ...jsonOf(result, service),
      applied: result.applied.map((row) => ({
        version: jsonVersion(row.version),
        description: row.description,
        checksum: row.checksum ?? null,
        appliedAt: row.appliedAt?.toISOString() ?? null,
        milliseconds: row.durationMilliseconds ?? null,
        hasDownSql: row.downSql !== undefined,
      })),
    },
  };
}

/** `version`: the number alone, for scripts. */
export function reportVersion(result: VersionResult, { service }: ReportNames): Report {
  return { text: describeVersion(result), json: jsonOf(result, service) };
}

/** `check`, when it holds. */
export function reportCheck({ database, version, required }: CheckResult, { service }: ReportNames): Report {
  const needed = required === undefined ? '' : `, ${required} is needed`;
  return {
    text: `${service ?? database} is ready: at ${version}${needed}`,
    json: {
      ready: true,
      service: service ?? null,
      database,
      version: jsonVersion(version),
      required: jsonVersion(required),
    },
  };
}

/** `plan`: the steps, what would run outside a transaction, and what the strategy would decide. */
export function reportPlan(
  result: PlanResult,
  { service }: ReportNames,
  run?: PlannedRun,
  file?: string,
): Report {
  const { steps, anomalies, strategy, decision, dependents = [] } = result;
  const words = {
    rest: 'nothing to do',
    apply: count(steps.length, 'step'),
    recreate: 'recreate: a new database would be built beside the old, which is kept',
    refuse: 'refuse: the environment is not one that may be recreated',
  };
  const lines = steps.map((step) => [step.label, step.description, step.direction, describeStatements(step)]);
  const risks = (run?.steps ?? []).flatMap((step) =>
    step.risks.map((risk) => `  ! ${titleOf({ ...step, label: step.version })}: ${risk}`),
  );
  return {
    text: [
      `${service ?? result.database} is at ${describeVersion(result)}; ${strategy} would: ${words[decision]}`,
      ...describeAnomalies(anomalies).map((line) => `  ${line}`),
      ...columns(lines),
      ...risks,
      ...dependents.map(
        ({ application, needs }) => `  ! ${application} is running and needs version ${needs}`,
      ),
      ...(run === undefined || file === undefined ? [] : [`  plan ${digestOf(run)} in ${file}`]),
    ].join('\n'),
    json: {
      ...jsonOf(result, service),
      to: jsonVersion(result.to),
      strategy,
      decision,
      steps: steps.map((step, index) => ({ ...jsonStep(step), risks: run?.steps[index]?.risks ?? null })),
      anomalies: anomalies.map(jsonAnomaly),
      dependents: jsonDependents(dependents),
      digest: run === undefined ? null : digestOf(run),
      file: file ?? null,
    },
  };
}

function migrateLines(result: MigrateResult, { service, undoCommand }: ReportNames): string[] {
  const { outcome, database, from, to, kept } = result;
  const name = service ?? database;
  const took = `${Math.round(result.milliseconds)} ms`;
  switch (outcome) {
    case 'nothing to do':
      return [`${name} is at ${spell(to)}, nothing to do`];
    case 'migrated':
      return [
        `${name}: ${describeWork(result)}, from ${spell(from)} to ${spell(to)}, ${took}`,
        ...safeguardLines(result.safeguards),
      ];
    case 'recreated':
      return [
        `${name} was recreated: ${describeOrigin(result)}, now at ${spell(to)}, ${took}`,
        ...describeAnomalies(result.anomalies).map((line) => `  ${line}`),
        `  the database as it was is kept as ${kept}`,
        `  ${undoCommand} brings it back`,
        ...previousLines(result),
      ];
    case 'undone':
      return [
        `${name} is again as before the last recreate: now at ${spell(to)}, was at ${spell(from)}`,
        `  the other one is kept as ${kept}`,
        `  ${undoCommand} swaps them again`,
        ...previousLines(result),
      ];
  }
}

/** The other databases that are kept, and those that are not any more. */
function previousLines({ kept, previous }: MigrateResult): string[] {
  const others = (previous?.kept ?? []).filter(({ database }) => database !== kept);
  return [
    ...others.map(({ database, why }) => `  ${database} is kept too: ${why}`),
    ...(previous?.dropped ?? []).map(({ database, why }) => `  ${database} is dropped: ${why}`),
  ];
}

/** Absent where nothing was replaced. */
function jsonPrevious(previous: MigrateResult['previous']): Readonly<Record<string, Json>> {
  if (previous === undefined) return {};
  const listOf = (some: readonly Reasoned[]) => some.map(({ database, why }) => ({ database, why }));
  return { previous: listOf(previous.kept), dropped: listOf(previous.dropped) };
}

function safeguardLines(record: GuardRecord | undefined): string[] {
  if (record === undefined) return [];
  const { backup, compliantWith, notes } = record;
  const apart = notes === 0 ? '' : `, apart from ${count(notes, 'note')} (migrate verify lists them)`;
  return [
    ...(backup === undefined ? [] : [`  the database before is in ${showPath(backup.path)}`]),
    ...(compliantWith.length === 0 ? [] : [`  the schema equals ${compliantWith.join(' and ')}${apart}`]),
  ];
}

function jsonSafeguards(record: GuardRecord | undefined): Readonly<Record<string, Json>> {
  if (record === undefined) return {};
  const { backup, compliantWith, notes } = record;
  return {
    backup:
      backup === undefined
        ? null
        : {
            path: showPath(backup.path),
            sha256: backup.manifest.sha256,
            verifiedAt: backup.manifest.verifiedAt,
          },
    compliant: compliantWith.length > 0 ? true : null,
    expectations: compliantWith,
    notes,
  };
}

/** `2 migrations without a file taken back, 1 migration applied` */
function describeWork({ takenBack, steps }: MigrateResult): string {
  if (takenBack.length === 0) return describeSteps(steps);
  const back = `${count(takenBack.length, 'migration')} without a file taken back`;
  return steps.length === 0 ? back : `${back}, ${describeSteps(steps)}`;
}

/** `14 migrations from a template, 1 migration applied` */
function describeOrigin({ steps, copied = 0 }: MigrateResult): string {
  if (copied === 0) return describeSteps(steps);
  const origin = `${count(copied, 'migration')} from a template`;
  return steps.length === 0 ? origin : `${origin}, ${describeSteps(steps)}`;
}

function describeSteps(steps: readonly AppliedStep[]): string {
  const down = steps[0]?.direction === 'down';
  return `${count(steps.length, 'migration')} ${down ? 'taken back' : 'applied'}`;
}

function describeStatements({ file, overlay }: Step): string {
  const outside = wordsOutside(file);
  const own = ownTransactions(file);
  return [
    count(file.statements.length, 'statement'),
    ...(overlay === undefined ? [] : [`of the overlay ${overlay}`]),
    ...(outside.length === 0 ? [] : [`outside a transaction: ${outside.join(', ')}`]),
    ...(own === 0 ? [] : ['in transactions of its own']),
  ].join(', ');
}

function describeVersion({ version, dirty, holder, disagreement }: VersionResult): string {
  if (disagreement !== undefined)
    return `${spell(version)} (the receipt says ${spell(disagreement.receipt)})`;
  if (!dirty) return spell(version);
  return `${spell(version)} (dirty${holder === undefined ? '' : `; a migrator is at work: ${holder}`})`;
}

function spell(version: bigint | undefined): string {
  return version === undefined ? 'none' : String(version);
}

function timeOf(time: Date | undefined): string {
  return time?.toISOString().replace(/\.\d+Z$/, 'Z') ?? '';
}

function jsonOf(
  { database, version, dirty, holder, disagreement }: VersionResult,
  service: string | undefined,
): Readonly<Record<string, Json>> {
  return {
    service: service ?? null,
    database,
    version: jsonVersion(version),
    dirty,
    holder: holder ?? null,
    ...(disagreement === undefined ? {} : { receipt: jsonVersion(disagreement.receipt) }),
  };
}

function jsonState({ version, description, state, appliedAt, durationMilliseconds }: MigrationState): Json {
  return {
    version: jsonVersion(version),
    description,
    state,
    appliedAt: appliedAt?.toISOString() ?? null,
    milliseconds: durationMilliseconds ?? null,
  };
}

function jsonStep({ direction, version, description, file, overlay }: Step) {
  return {
    overlay: overlay ?? null,
    direction,
    version: jsonVersion(version),
    description,
    path: file.path,
    statements: file.statements.length,
    outsideTransaction: file.statements.flatMap(({ outsideTransaction }) => outsideTransaction ?? []),
  };
}

/** One anomaly of a history, for machines. */
export function jsonAnomaly(anomaly: Anomaly): Json {
  const { kind } = anomaly;
  if (kind === 'dirty') return { kind, version: jsonVersion(anomaly.version) };
  if (kind === 'missing')
    return { kind, version: jsonVersion(anomaly.version), description: anomaly.description };
  const { version, description } = anomaly.migration;
  return { kind, version: jsonVersion(version), description };
}
