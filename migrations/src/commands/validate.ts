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
    ['--watch', 'judges again whenever a file is saved'],
  ],
  help: `
Each finding has a place, a code, the reason and what to do; docs/rules.md has a section for each code. Errors end it with 3. A
comment right before a statement allows what a rule warns of, and must say why:
  -- lockstep: allow drop-column: nothing reads it since 3.1
What only a server knows is shown by: rehearse, verify and verify --rollbacks.`,
  examples: ['validate --path services-api/migrations', 'validate --strict --report github'],
  offline: () => true,
  prepare: (_argument, options) => {
    const kind = kinds.find((known) => known === (textOf(options['report']) ?? 'text'));
    if (kind === undefined)
      throw new UsageError(`--report: expected ${kinds.join(', ')}`, 'migrate validate --help');
    const wishes = { kind, strict: options['strict'] === true };
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

async function validateOnce(
  settings: CommandSettings,
  names: ReportNames,
  wishes: { readonly kind: (typeof kinds)[number]; readonly strict: boolean },
) {
  const { validateFolder } = await import('../analysis/validate.ts');
  const { reportValidation } = await import('../analysis/validation-report.ts');
  const validation = await validateFolder(settings.path, settings.layout);
  return reportValidation(settings.path, validation, names, wishes);
}
