import { count } from '@lockstep/foundation';
import type { Report, ReportNames } from '../report.ts';
import { columns } from '../report-columns.ts';
import type { SeedResult } from './seed.ts';

/** `seed`: a line for each file. */
export function reportSeed(
  { database, environment, files, dryRun }: SeedResult,
  { service }: ReportNames,
): Report {
  const name = service ?? database;
  const lines = files.map(({ file, rows, milliseconds }) => [
    file.path,
    rows === undefined
      ? 'SQL'
      : `${rows.inserted} inserted, ${rows.updated} updated, ${rows.unchanged} unchanged`,
    `${Math.round(milliseconds)} ms`,
  ]);
  const what =
    files.length === 0
      ? `no seeds for ${environment}`
      : `${count(files.length, 'seed file')} ${dryRun ? 'would be loaded' : 'loaded'} for ${environment}`;
  return {
    text: [`${name}: ${what}`, ...columns(lines)].join('\n'),
    json: {
      service: service ?? null,
      database,
      environment,
      dryRun,
      files: files.map(({ file, rows, milliseconds }) => ({
        path: file.path,
        inserted: rows?.inserted ?? null,
        updated: rows?.updated ?? null,
        unchanged: rows?.unchanged ?? null,
        milliseconds: Math.round(milliseconds),
      })),
    },
  };
}
