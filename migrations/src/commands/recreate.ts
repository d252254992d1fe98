import type { Command } from '../command.ts';
import { foreseeing, foreseeingOptions } from './foreseeing.ts';

export const recreate: Command = {
  usage: 'recreate',
  words: 'builds the database anew beside the old, which is kept; development only',
  audited: 'MIGRATION_EXECUTE',
  options: foreseeingOptions,
  examples: ['recreate --environment development', 'recreate --timeout 60s'],
  prepare: (_argument, options) =>
    foreseeing('recreate', options, async (settings, hooks, names) => {
      const { recreateDatabase } = await import('../migrate.ts');
      const { reportMigrate } = await import('../report.ts');
      return reportMigrate(await recreateDatabase(settings, hooks), names);
    }),
};
