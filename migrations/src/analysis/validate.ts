import { setImmediate } from 'node:timers/promises';
import type { FileMistake } from '../file-errors.ts';
import type { FileWarning } from '../files/file-warning.ts';
import { showPath } from '../folder.ts';
import type { Layout } from '../layout.ts';
import { readMigrations } from '../load.ts';
import { readScripts } from '../load-scripts.ts';
import type { Migration } from '../migration.ts';
import { environments } from '../strategy.ts';
import { type Analysis, type Judgement, judgeMigration, settle } from './analyse.ts';
import { Facts } from './facts.ts';
import { type Finding, sortFindings } from './finding.ts';
import { dependencyFindings, folderFindings, unindexedFindings } from './folder-findings.ts';
import { loadParser } from './parser.ts';
import { highest, type Level } from './risk.ts';
import { settingFindings } from './setting-findings.ts';

/** What reading and judging a folder came to. */
export interface Validation {
  readonly migrations: readonly Migration[];
  readonly risks: readonly Pick<Analysis, 'migration' | 'risk'>[];
  /** By path, place and code; those that a comment allows included. */
  readonly findings: readonly Finding[];
  /** The highest of any migration. */
  readonly level: Level;
}

/** Migrations judged in one go, before timers and signals get their turn. */
const judgedAtOnce = 16;

/**
 * Reads every file of a folder, overlays of all environments included, and judges each; asks no server.
 *
 * @throws {MigrationsFolderError} when the folder cannot be listed; exit status 2
 */
export async function validateFolder(folder: string, layout: Layout): Promise<Validation> {
  const [parse, reading] = await Promise.all([loadParser(), readAll(folder, layout)]);
  const { migrations, mistakes, warnings, otherLayouts } = reading;
  const findings: Finding[] = mistakes.map(toFinding);
  findings.push(...otherLayouts.map((message) => layoutFinding(showPath(folder), message)));
  const odd = warnings.map(warningFinding);
  const risks: Validation['risks'][number][] = [];
  const facts = new Facts();
  const judgements: Judgement[] = [];
  for (const [index, migration] of migrations.entries()) {
    if (index % judgedAtOnce === judgedAtOnce - 1) await setImmediate();
    judgements.push(judgeMigration(migration, parse, facts));
  }
  const leftBehind = settingFindings(inOrder(migrations), parse);
  const folderWide = [...odd, ...leftBehind, ...unindexedFindings(facts)];
  for (const judgement of judgements) {
    const { migration } = judgement;
    const analysis = settle(judgement, folderWide);
    risks.push({ migration, risk: analysis.risk });
    // A script has no down file by its nature.
    findings.push(
      ...analysis.findings.filter(({ code }) => layout === 'versioned' || code !== 'down-missing'),
    );
  }
  findings.push(...odd.filter((finding) => !migrations.some((migration) => isOf(migration)(finding))));
  if (layout === 'versioned')
    findings.push(...folderFindings(migrations), ...dependencyFindings(folder, migrations));
  return {
    migrations,
    risks,
    findings: sortFindings(findings),
    level: highest(risks.map(({ risk }) => risk.level)),
  };
}

/** What a validation says of some files alone, by the paths of their findings; each was judged in the light of all. */
export function narrow(validation: Validation, paths: ReadonlySet<string>): Validation {
  const isMeant = ({ up, down }: Migration) =>
    paths.has(up.path) || (down !== undefined && paths.has(down.path));
  const risks = validation.risks.filter(({ migration }) => isMeant(migration));
  return {
    migrations: validation.migrations.filter(isMeant),
    risks,
    findings: validation.findings.filter(({ path }) => paths.has(path)),
    level: highest(risks.map(({ risk }) => risk.level)),
  };
}

async function readAll(folder: string, layout: Layout) {
  if (layout === 'alphabetical') return readScripts(folder);
  const base = await readMigrations(folder);
  const mistakes = new Map(base.mistakes.map((mistake) => [JSON.stringify(mistake), mistake]));
  const warnings = new Map(base.warnings.map((warning) => [JSON.stringify(warning), warning]));
  const migrations = [...base.migrations];
  for (const environment of environments) {
    const reading = await readMigrations(folder, { environment });
    for (const mistake of reading.mistakes) mistakes.set(JSON.stringify(mistake), mistake);
    for (const warning of reading.warnings) warnings.set(JSON.stringify(warning), warning);
    migrations.push(...reading.migrations.filter(({ overlay }) => overlay === environment));
  }
  const { otherLayouts } = base;
  return { migrations, mistakes: [...mistakes.values()], warnings: [...warnings.values()], otherLayouts };
}

/** Whether a finding is about a file of the migration. */
function isOf({ up, down }: Migration): (finding: Finding) => boolean {
  return ({ path }) => path === up.path || path === down?.path;
}

function toFinding({ path, place, rule, code, fix }: FileMistake): Finding {
  return { code: code ?? 'file', severity: 'error', path, place, message: rule, fix };
}

function warningFinding({ path, place, rule, code, fix }: FileWarning): Finding {
  return { code, severity: 'warning', path, place, message: rule, fix };
}

function layoutFinding(path: string, message: string): Finding {
  return { code: 'file', severity: 'error', path, place: undefined, message, fix: undefined };
}

/** Overlays among the rest, as they run. */
function inOrder(migrations: readonly Migration[]): Migration[] {
  return [...migrations].sort((a, b) => (a.version < b.version ? -1 : a.version > b.version ? 1 : 0));
}
