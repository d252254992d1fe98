import { type Analysis, analyse, judgeMigration } from '../analysis/analyse.ts';
import { Facts } from '../analysis/facts.ts';
import { loadParser, ParserMissingError } from '../analysis/parser.ts';
import { type Level, strategyFor } from '../analysis/risk.ts';
import { rules } from '../analysis/rules/rules.ts';
import { type Migration, wordsOutside } from '../migration.ts';
import type { Step } from '../plan.ts';
import { askedByFile } from '../sql/no-transaction.ts';
import { outsideLine } from './plan-file.ts';

/** What a person should know before saying yes to a step. */
export interface StepRisk {
  readonly level: Level;
  /** A line each: what it deletes, what it rewrites or locks while others wait, what could not be taken back. */
  readonly lines: readonly string[];
}

/** Where the parser is not installed nothing is known, which is no low risk. */
const unjudged: StepRisk = {
  level: 'high',
  lines: ["its risk is not judged: Postgres' parser is not installed here"],
};

/** Notices that concern whoever approves, too: what they warn of happens to rows or cannot be read. */
const weighed = new Set(rules.filter(({ risks }) => risks.length > 0).map(({ code }) => code));

/** Judges steps as they would run; a down step by the rules for up files, as its SQL runs on the same tables. */
export async function risksOf(
  steps: readonly Step[],
  migrations: readonly Migration[],
): Promise<readonly StepRisk[]> {
  const parse = await loadParser().catch((error: unknown) => {
    if (error instanceof ParserMissingError) return undefined;
    throw error;
  });
  if (parse === undefined) return steps.map(() => unjudged);
  const facts = new Facts();
  // Only these rules ask what earlier files made.
  if (steps.some(({ file }) => /\bset\s+not\s+null\b|\busing\s+index\b/i.test(file.text))) {
    const first = steps.reduce(
      (lowest, { version }) => (version < lowest ? version : lowest),
      steps[0]?.version ?? 0n,
    );
    for (const migration of migrations)
      if (migration.version < first) judgeMigration(migration, parse, facts);
  }
  const byVersion = new Map(migrations.map((migration) => [migration.version, migration]));
  return steps.map((step) => {
    const { version, label, description, file } = step;
    const migration =
      step.direction === 'up'
        ? byVersion.get(version)
        : { version, label, description, up: file, down: file };
    return migration === undefined
      ? { level: 'low', lines: [] }
      : toStepRisk(step, analyse(migration, parse, facts));
  });
}

function toStepRisk({ direction, file }: Step, { findings, risk }: Analysis): StepRisk {
  const { level, score } = direction === 'up' ? risk : { level: 'low' as const, score: 0 };
  const own = findings.filter(({ path, code, severity }) => {
    return path === file.path && (weighed.has(code) || (severity !== 'notice' && !code.startsWith('down-')));
  });
  const lines = own.map(({ message, allowed, place }) => {
    const line = place === undefined ? '' : `line ${place.line}: `;
    return `${line}${message}${allowed === undefined ? '' : ` (allowed: ${allowed})`}`;
  });
  if (wordsOutside(file).includes(askedByFile)) lines.push(outsideLine);
  if (direction === 'up' && risk.irreversible) lines.push('has no down file: it cannot be taken back');
  if (level !== 'low')
    lines.unshift(`${level} risk (${score} points): run with --approach ${strategyFor[level]}`);
  return { level, lines: [...new Set(lines)] };
}
