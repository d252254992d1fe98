import type { Command } from '../command.ts';
import { foreseeing, foreseeingOptions } from './foreseeing.ts';

export const undo: Command = {
  usage: 'undo',
  words: 'brings back the newest previous database; development only',
  audited: 'MIGRATION_ROLLBACK',
  options: foreseeingOptions,
  help: `
The present one is kept in its place: undone again, all is as before. Where two are kept, undone again it goes on to the
older one. One that cannot be connected to is passed over.`,
  examples: ['undo --environment development', 'undo --format json'],
  prepare: (_argument, options) =>
    foreseeing('undo', options, async (settings, hooks, names) => {
      const { undo: swapBack } = await import('../undo.ts');
      const { reportMigrate } = await import('../report.ts');
      return reportMigrate(await swapBack(settings, hooks), names);
    }),
};
