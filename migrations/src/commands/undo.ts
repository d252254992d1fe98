import type { Command } from '../command.ts';
import { foreseeing, foreseeingOptions } from './foreseeing.ts';

export const undo: Command = {
  usage: 'undo',
  words: 'brings back the database that the last recreate kept; development only',
  audited: 'MIGRATION_ROLLBACK',
  options: foreseeingOptions,
  examples: ['undo --environment development', 'undo --format json'],
  prepare: (_argument, options) =>
    foreseeing('undo', options, async (settings, hooks, names) => {
      const { undo: swapBack } = await import('../undo.ts');
      const { reportMigrate } = await import('../report.ts');
      return reportMigrate(await swapBack(settings, hooks), names);
    }),
};
