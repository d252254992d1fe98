import { fileWarningCodes } from '../files/file-warning.ts';
import type { Migration, SqlFile, Statement } from '../migration.ts';
import { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { LineIndex } from './line-index.ts';
import { type Lock, locksOf } from './locks.ts';
import { balanceOf, compareBalances } from './objects.ts';
import { longestParsed, offsetOfByte, type Parsed } from './parser.ts';
import { type MigrationRisk, type StatementRisk, scoreOf } from './risk.ts';
import type { ReadStatement, Risk, Rule } from './rule.ts';
import { rules } from './rules/rules.ts';
import { type Suppression, suppressionsOf } from './suppression.ts';
import { transactionFindings } from './transaction-findings.ts';
import { nameOf, pick, type Tree } from './tree.ts';

/** What Postgres' parser and our rules say about one migration. */
export interface Analysis {
  readonly migration: Migration;
  readonly findings: readonly Finding[];
  readonly risk: MigrationRisk;
}

type Parse = (statement: Pick<Statement, 'text'>) => Parsed;

/** Codes of findings that are about more than one statement; the rules have their own. */
export const otherCodes = [
  ...fileWarningCodes,
  'syntax',
  'not-parsed',
  'down-missing',
  'down-leaves',
  'down-lacks',
  'transaction-control',
  'search-path-not-kept',
  'temp-table-not-kept',
  'suppression-without-reason',
  'suppression-unknown',
  'suppression-unused',
  'foreign-key-unindexed',
] as const;

/** Rules that there were: a comment in an applied file that names one cannot be changed any more. */
const retiredCodes = ['setting-stays'];

/** A finding with its statement, which comments are held against. */
export interface Located extends Finding {
  readonly statement?: Statement | undefined;
}

/** A migration that was judged, and whose comments are not looked at yet. */
export interface Judgement {
  readonly migration: Migration;
  readonly findings: readonly Located[];
  readonly risk: MigrationRisk;
}

/** Judges a migration by its two files; asks no server. */
export function analyse(migration: Migration, parse: Parse, facts = new Facts()): Analysis {
  return settle(judgeMigration(migration, parse, facts));
}

/**
 * Judges a migration and leaves out what its comments say; see {@link settle}.
 *
 * @param facts what the migrations before it made; goes on by its up file
 */
export function judgeMigration(migration: Migration, parse: Parse, facts: Facts): Judgement {
  const up = readFile(migration.up, parse);
  const down = migration.down === undefined ? undefined : readFile(migration.down, parse);
  const judged = judge(migration.up, up.read, new LineIndex(migration.up.text), facts);
  const files = migration.down === undefined ? [migration.up] : [migration.up, migration.down];
  const findings = [
    ...up.findings,
    ...(down?.findings ?? []),
    ...judged.findings,
    ...files.flatMap(transactionFindings),
  ];
  if (migration.down === undefined) {
    findings.push(
      whole(
        migration.up,
        'down-missing',
        'notice',
        'there is no down file: this migration cannot be taken back',
        'a .down.sql file; where nothing can be taken back, one that says so in a comment',
      ),
    );
  } else if (down?.complete === true && up.complete) {
    findings.push(...judgeDown(migration.down, up.read, down.read));
  }
  return { migration, findings, risk: scoreOf(judged.statements, migration.down === undefined) };
}

/** Marks what the comments of a migration's files allow, among its own findings and `more` that were made by the whole folder. */
export function settle({ migration, findings, risk }: Judgement, more: readonly Located[] = []): Analysis {
  const files = [migration.up, ...(migration.down === undefined ? [] : [migration.down])];
  const all = [...findings, ...more];
  return {
    migration,
    findings: files.flatMap((file) =>
      hush(
        file,
        all.filter(({ path }) => path === file.path),
      ),
    ),
    risk,
  };
}

function readFile(file: SqlFile, parse: Parse) {
  const read: ReadStatement[] = [];
  const findings: Located[] = [];
  const lines = new LineIndex(file.text);
  let complete = true;
  for (const statement of file.statements) {
    const parsed = parse(statement);
    if ('tree' in parsed) {
      read.push({ statement, tree: parsed.tree });
      continue;
    }
    complete = false;
    const { path } = file;
    if ('tooLarge' in parsed) {
      const message = `a statement of over ${longestParsed / 1024} KiB is not parsed, so no rule looks at it`;
      findings.push({
        code: 'not-parsed',
        severity: 'notice',
        path,
        place: lines.place(statement.offset),
        message,
        fix: 'several smaller statements, or a seed file',
        statement,
      });
    } else {
      const place = lines.place(statement.offset + parsed.offset);
      findings.push({
        code: 'syntax',
        severity: 'error',
        path,
        place,
        message: parsed.mistake,
        fix: undefined,
        statement,
      });
    }
  }
  return { read, findings, complete };
}

/** What the rules say about the statements of an up file. */
function judge(file: SqlFile, read: readonly ReadStatement[], lines: LineIndex, facts: Facts) {
  const findings: Located[] = [];
  const made = new Set<string>();
  const isNew = (table: string) => made.has(table);
  const statements = read.map(({ statement, tree }, at): StatementRisk => {
    const subject = {
      statement,
      tree,
      isNew,
      before: () => read.slice(0, at),
      statements: file.statements.length,
      facts,
    };
    const risks = new Set<Risk>();
    for (const rule of rules) {
      for (const hit of rule.find(subject)) {
        for (const risk of [...rule.risks, ...(hit.risks ?? [])]) risks.add(risk);
        const within = hit.location === undefined ? 0 : offsetOfByte(statement.text, hit.location);
        findings.push(toFinding(rule, file, hit.about, lines.place(statement.offset + within), statement));
      }
    }
    const locks = locksOf(tree).filter(({ table }) => !made.has(table));
    for (const name of madeBy(tree)) made.add(name);
    facts.follow({ statement, tree }, file);
    return {
      statement: headOf(statement),
      line: lines.place(statement.offset).line,
      locks: sortLocks(locks),
      risks: [...risks],
      alone: statement.outsideTransaction !== undefined,
    };
  });
  return { findings, statements };
}

function toFinding(
  rule: Rule,
  { path }: SqlFile,
  about: string,
  place: Finding['place'],
  statement: Statement,
): Located {
  const message = rule.message.replace('{}', () => about);
  return { code: rule.code, severity: rule.severity, path, place, message, fix: rule.fix, statement };
}

function whole(
  { path }: SqlFile,
  code: string,
  severity: Finding['severity'],
  message: string,
  fix: string,
): Located {
  return { code, severity, path, place: undefined, message, fix };
}

/** A down file must take what its up file made, and bring back what it took. */
function judgeDown(file: SqlFile, up: readonly ReadStatement[], down: readonly ReadStatement[]): Located[] {
  const trees = (read: readonly ReadStatement[]) => read.map(({ tree }) => tree);
  // One that takes nothing back on purpose says so in a comment.
  if (down.length === 0) return [];
  const { left, lacking } = compareBalances(balanceOf(trees(up)), balanceOf(trees(down)));
  return [
    ...left.map((key) =>
      whole(file, 'down-leaves', 'warning', `the ${key} is left, which the up file makes`, 'drop it here'),
    ),
    ...lacking.map((key) =>
      whole(
        file,
        'down-lacks',
        'warning',
        `the ${key} is not made again, which the up file drops`,
        'make it again here, as it was',
      ),
    ),
  ];
}

/** Marks what a comment allows, and finds what is wrong with the comments. */
function hush(file: SqlFile, findings: readonly Located[]): Finding[] {
  const suppressions = suppressionsOf(file);
  if (suppressions.length === 0) return findings.map(withoutStatement);
  const lines = new LineIndex(file.text);
  const used = new Set<Suppression>();
  const hushed = findings.map((finding) => {
    const allowed = suppressions.find(
      ({ code, reason, statement }) =>
        code === finding.code &&
        reason !== '' &&
        (statement === undefined || statement === finding.statement),
    );
    if (allowed === undefined || finding.code === 'syntax') return withoutStatement(finding);
    used.add(allowed);
    return { ...withoutStatement(finding), allowed: allowed.reason };
  });
  return [
    ...hushed,
    ...suppressions.flatMap((suppression) => mistakeIn(suppression, used.has(suppression), file, lines)),
  ];
}

function mistakeIn(
  { code, reason, offset }: Suppression,
  used: boolean,
  { path }: SqlFile,
  lines: LineIndex,
): Finding[] {
  const place = lines.place(offset);
  const codes: readonly string[] = [...rules.map((rule) => rule.code), ...otherCodes, ...retiredCodes];
  const known = codes.includes(code);
  if (!known) {
    const message = code === '' ? 'the comment allows no rule' : `there is no rule ${code}`;
    return [
      {
        code: 'suppression-unknown',
        severity: 'error',
        path,
        place,
        message,
        fix: 'a code of docs/rules.md',
      },
    ];
  }
  if (reason === '') {
    const message = `${code} is allowed without a reason, so it is not`;
    return [
      {
        code: 'suppression-without-reason',
        severity: 'error',
        path,
        place,
        message,
        fix: `-- lockstep: allow ${code}: why`,
      },
    ];
  }
  if (used || retiredCodes.includes(code)) return [];
  const message = `${code} is allowed, and nothing here breaks it`;
  return [
    {
      code: 'suppression-unused',
      severity: 'warning',
      path,
      place,
      message,
      fix: 'take the comment out, or put it right before the statement it is about',
    },
  ];
}

function withoutStatement({ statement: _, ...finding }: Located): Finding {
  return finding;
}

/** What the rest of the file need not fear to lock. */
function madeBy(tree: Tree): string[] {
  const table = pick(tree, 'CreateStmt');
  if (table !== undefined && table.if_not_exists !== true) return [nameOf(table.relation)];
  const copied = pick(tree, 'CreateTableAsStmt');
  if (copied !== undefined && copied.if_not_exists !== true) return [nameOf(copied.into?.rel)];
  const view = pick(tree, 'ViewStmt');
  return view !== undefined && view.replace !== true ? [nameOf(view.view)] : [];
}

function headOf({ text }: Statement): string {
  const line = text.slice(0, 400).replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

function sortLocks(locks: readonly Lock[]): Lock[] {
  return [...locks].sort((a, b) => (a.table < b.table ? -1 : 1));
}
