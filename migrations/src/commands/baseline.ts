import type { Command } from '../command.ts';
import { versionOf } from './arguments.ts';

export const baseline: Command = {
  usage: 'baseline <version>',
  words: 'takes over a database that has no history: its files up to this version count as applied',
  options: [['--dry-run', 'tells what would be recorded, and changes nothing']],
  help: `
Runs nothing and changes nothing but the tables of the history. migrate verify then shows whether the schema is what the
files say. A database that golang-migrate keeps needs no baseline: its history is understood as it is.`,
  audited: 'MIGRATION_EXECUTE',
  examples: ['baseline 12 --dry-run', 'baseline 12'],
  prepare: (argument, { dryRun }) => {
    const version = versionOf(argument ?? '', 'version', 'baseline');
    return async (settings, hooks, names) => {
      const { baselineDatabase } = await import('../adopt.ts');
      const { reportAdopt } = await import('../adopt-report.ts');
      const request = { version, isDryRun: dryRun === true };
      return reportAdopt(await baselineDatabase(settings, request, hooks), names);
    };
  },
};
