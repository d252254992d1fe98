import { count } from '@lockstep/foundation';
import type { ReportWishes } from '../analysis/validation-report.ts';
import type { Command } from '../command.ts';
import type { CommandSettings } from '../config.ts';
import { UsageError } from '../errors.ts';
import type { ReportNames } from '../report.ts';
import { textOf } from './arguments.ts';

const kinds = ['text', 'sarif', 'github'] as const;

export const validate: Command = {
  usage: 'validate',
  words: "judges every file by Postgres' own parser and our rules; asks no server",
  options: [
    ['--strict', 'warnings fail, too'],
    ['--report <kind>', 'text, sarif (for code scanners) or github (annotations)'],
    ['--since <commit>', 'judges only files that are new or changed since then, as in --since main'],
    ['--baseline <file>', 'allows the findings that the file counts'],
    ['--write-baseline <file>', 'writes such a file of all findings there are now'],
    ['--watch', 'judges again whenever a file is saved'],
  ],
  help: `
Each finding has a place, a code, the reason and what to do; docs/rules.md has a section for each code. Errors end it with 3. A
comment right before a statement allows what a rule warns of, and must say why:
  -- lockstep: allow drop-column: nothing reads it since 3.1
What only a server knows is shown by: rehearse, verify and verify --rollbacks.`,
  examples: [
    'validate --path services-api/migrations',
    'validate --strict --since origin/main --report github',
    'validate --write-baseline baseline.json',
    'validate --strict --baseline baseline.json',
  ],
  offline: () => true,
  prepare: (_argument, options) => {
    const kind = kinds.find((known) => known === (textOf(options['report']) ?? 'text'));
    if (kind === undefined)
      throw new UsageError(`--report: expected ${kinds.join(', ')}`, 'migrate validate --help');
    const wishes: Wishes = {
      kind,
      strict: options['strict'] === true,
      since: textOf(options['since']),
      baseline: textOf(options['baseline']),
      newBaseline: textOf(options['writeBaseline']),
    };
    if (wishes.newBaseline !== undefined && (wishes.since ?? wishes.baseline) !== undefined) {
      const fact = '--write-baseline counts every finding: it goes without --since and --baseline';
      throw new UsageError(fact, 'migrate validate --help');
    }
    return async (settings, { signal }, names) => {
      const check = () => validateOnce(settings, names, wishes);
      if (options['watch'] !== true) return check();
      const { watchFolder } = await import('../analysis/watch.ts');
      await watchFolder(settings.path, signal ?? new AbortController().signal, async () => {
        const report = await check();
        return report.document ?? report.text;
      });
      return check();
    };
  },
};

interface Wishes extends ReportWishes {
  /** A commit since which files are looked at. */
  readonly since: string | undefined;
  readonly baseline: string | undefined;
  readonly newBaseline: string | undefined;
}

async function validateOnce(settings: CommandSettings, names: ReportNames, wishes: Wishes) {
  const { narrow, validateFolder } = await import('../analysis/validate.ts');
  const { reportValidation } = await import('../analysis/validation-report.ts');
  const { path, layout } = settings;
  const { since, baseline, newBaseline } = wishes;
  // First, so that a wrong name costs no judging.
  const changed =
    since === undefined ? undefined : await (await import('../analysis/since.ts')).changedSince(path, since);
  let validation = await validateFolder(path, layout);
  const remarks: string[] = [];
  if (changed !== undefined) {
    validation = narrow(validation, changed);
    remarks.push(`  only what is new since ${since}: ${count(validation.migrations.length, 'migration')}`);
  }
  if (baseline !== undefined) {
    const { applyBaseline } = await import('../analysis/baseline.ts');
    const { findings, gone } = applyBaseline(baseline, path, validation.findings);
    validation = { ...validation, findings };
    // What was not judged is not gone.
    if (gone > 0 && since === undefined)
      remarks.push(`  ${count(gone, 'finding')} of the baseline gone: write it again`);
  }
  if (newBaseline !== undefined) {
    const { applyBaseline, writeBaseline } = await import('../analysis/baseline.ts');
    const counted = await writeBaseline(newBaseline, path, validation.findings);
    remarks.push(`  ${count(counted, 'finding')} written to ${newBaseline}`);
    validation = { ...validation, ...applyBaseline(newBaseline, path, validation.findings) };
  }
  const report = await reportValidation(path, validation, names, wishes);
  return { ...report, text: [report.text, ...remarks].join('\n') };
}
