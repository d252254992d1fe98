import { count } from '@lockstep/foundation';
import { showPath } from '../folder.ts';
import { type Json, jsonVersion } from '../json.ts';
import { titleOf } from '../migration.ts';
import type { Report, ReportNames } from '../report.ts';
import { anchorOf, type Finding } from './finding.ts';
import { strategyFor } from './risk.ts';
import type { Severity } from './rule.ts';
import type { Validation } from './validate.ts';

/** How findings are written. */
export const reportKinds = ['text', 'sarif', 'github'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** What to show, and what counts as a failure. */
export interface ReportWishes {
  readonly kind: ReportKind;
  /** Whether warnings fail as well. */
  readonly strict: boolean;
  /** The commit since which files were looked at; none may be new. */
  readonly since?: string | undefined;
}

/** Wrong files end `validate` with this status. */
const wrongFiles = 3;

/** `validate`: each finding with its place, then one line that counts them. */
export async function reportValidation(
  path: string,
  validation: Validation,
  { service }: ReportNames,
  wishes: ReportWishes,
): Promise<Report> {
  const { kind, strict } = wishes;
  const { migrations, findings } = validation;
  const open = findings.filter(({ allowed }) => allowed === undefined);
  const failing = open.filter(({ severity }) => severity === 'error' || (strict && severity === 'warning'));
  const empty = wishes.since === undefined && migrations.length === 0 && failing.length === 0;
  const folder = showPath(path);
  return {
    text: [...open.flatMap(linesOf), summary(folder, validation, open, empty)].join('\n'),
    json: {
      service: service ?? null,
      path: folder,
      level: validation.level,
      migrations: validation.risks.map(({ migration, risk }) => ({
        version: jsonVersion(migration.version),
        description: migration.description,
        overlay: migration.overlay ?? null,
        reversible: migration.down !== undefined,
        statements: migration.up.statements.length,
        checksum: migration.up.checksum,
        risk: jsonRisk(risk),
      })),
      findings: findings.map(jsonFinding),
    },
    ...(await documentOf(kind, findings)),
    exitStatus: failing.length > 0 || empty ? wrongFiles : 0,
  };
}

async function documentOf(kind: ReportKind, findings: readonly Finding[]): Promise<{ document?: string }> {
  if (kind === 'sarif') return { document: (await import('./sarif.ts')).toSarif(findings) };
  if (kind === 'github') return { document: (await import('./github.ts')).toAnnotations(findings) };
  return {};
}

function linesOf({ path, place, severity, code, message, fix }: Finding): string[] {
  const where = place === undefined ? path : `${path}:${place.line}:${place.column}`;
  return [
    `${where}  ${severity}  ${code}`,
    `    ${message}`,
    ...(fix === undefined ? [] : [`    fix: ${fix}`]),
  ];
}

function summary(
  folder: string,
  { migrations, risks, findings, level }: Validation,
  open: readonly Finding[],
  empty: boolean,
): string {
  if (empty) return `${folder}: no migrations in this folder`;
  const of = (severity: Severity) =>
    count(open.filter((finding) => finding.severity === severity).length, severity);
  const isOld = (reason: string | undefined) => reason === 'in the baseline';
  const old = findings.filter(({ allowed: reason }) => isOld(reason)).length;
  const allowed = findings.length - open.length - old;
  const risky = risks.filter(({ risk }) => risk.level === level).map(({ migration }) => titleOf(migration));
  const most =
    level === 'low'
      ? 'all are of low risk'
      : `${level} risk: run with --approach ${strategyFor[level]} (${risky.slice(0, 3).join(', ')}${risky.length > 3 ? ` and ${risky.length - 3} more` : ''})`;
  return [
    `${folder}: ${count(migrations.length, 'migration')}, ${of('error')}, ${of('warning')}, ${of('notice')}`,
    ...(allowed === 0 ? [] : [`  ${count(allowed, 'finding')} allowed by comments`]),
    ...(old === 0 ? [] : [`  ${count(old, 'finding')} in the baseline`]),
    `  ${most}`,
  ].join('\n');
}

function jsonRisk({ score, level, irreversible, statements }: Validation['risks'][number]['risk']): Json {
  return {
    score,
    level,
    irreversible,
    statements: statements.map(({ statement, line, locks, risks, alone }) => ({
      statement,
      line,
      locks: locks.map(({ table, mode }) => ({ table, mode })),
      risks: [...risks],
      outsideTransaction: alone,
    })),
  };
}

function jsonFinding({ code, severity, path, place, message, fix, allowed }: Finding): Json {
  return {
    code,
    severity,
    path,
    line: place?.line ?? null,
    column: place?.column ?? null,
    message,
    fix: fix ?? null,
    docs: anchorOf(code),
    allowed: allowed ?? null,
  };
}
