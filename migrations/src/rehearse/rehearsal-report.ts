import { count } from '@lockstep/foundation';
import { blocksReaders, blocksWriters } from '../analysis/locks.ts';
import { spellTableName } from '../identifiers.ts';
import { jsonVersion } from '../json.ts';
import { titleOf } from '../migration.ts';
import { locate } from '../position.ts';
import type { Report, ReportNames } from '../report.ts';
import type { Measurement } from './measure.ts';
import type { RehearsalResult } from './rehearse.ts';

/** `rehearse`: for each statement what it took, what it locked, what it wrote anew. */
export function reportRehearsal(
  { database, server, rehearsed, filled }: RehearsalResult,
  { service }: ReportNames,
): Report {
  const all = rehearsed.flatMap(({ measurements }) => measurements);
  const rows = filled.map(
    ({ table, rows: number }) => `${spellTableName(table)} with ${number.toLocaleString('en')} rows`,
  );
  return {
    text: [
      `${service ?? database}: ${count(rehearsed.length, 'migration')} rehearsed on Postgres ${server}${rows.length === 0 ? ', on empty tables' : `, ${rows.join(', ')}`}`,
      ...rehearsed.flatMap(({ migration, measurements, milliseconds }) => [
        `${titleOf(migration)}  ${Math.round(milliseconds)} ms`,
        ...measurements.flatMap((measured) => linesOf(migration.up.text, measured)),
      ]),
      ...(all.length === 0 ? ['  nothing is pending; --all rehearses every migration from nothing'] : []),
    ].join('\n'),
    json: {
      service: service ?? null,
      database,
      server,
      filled: filled.map(({ table, rows: number }) => ({ table: spellTableName(table), rows: number })),
      migrations: rehearsed.map(({ migration, measurements, milliseconds }) => ({
        version: jsonVersion(migration.version),
        description: migration.description,
        milliseconds: Math.round(milliseconds),
        statements: measurements.map(({ statement, milliseconds: took, walBytes, locks, rewritten }) => ({
          statement: headOf(statement.text),
          line: locate(migration.up.text, statement.offset).line,
          milliseconds: Math.round(took * 10) / 10,
          walBytes,
          locks: locks.map(({ relation, mode, earlier }) => ({ relation, mode, earlier })),
          rewritten: [...rewritten],
          outsideTransaction: statement.outsideTransaction !== undefined,
        })),
      })),
    },
  };
}

function linesOf(
  text: string,
  { statement, milliseconds, walBytes, locks, rewritten }: Measurement,
): string[] {
  const strong = locks.filter(({ mode }) => blocksWriters(mode));
  const held = strong.map(({ relation, mode, earlier }) => {
    const waiting = blocksReaders(mode) ? 'readers wait' : 'writers wait';
    return `${mode} on ${relation}, ${waiting}${earlier ? ', since an earlier statement' : ''}`;
  });
  return [
    `  line ${locate(text, statement.offset).line}  ${milliseconds.toFixed(1)} ms  ${bytes(walBytes)} of log  ${headOf(statement.text)}`,
    ...held.map((line) => `    locks: ${line}`),
    ...rewritten.map((name) => `    writes ${name} anew`),
  ];
}

function headOf(text: string): string {
  const line = text.slice(0, 400).replace(/\s+/g, ' ');
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}

function bytes(number: number): string {
  if (number < 1024) return `${number} B`;
  return number < 1024 * 1024
    ? `${Math.round(number / 1024)} KiB`
    : `${(number / 1024 / 1024).toFixed(1)} MiB`;
}
