import type { Command } from '../command.ts';

export const recreate: Command = {
  usage: 'recreate',
  words: 'builds the database anew beside the old, which is kept; development only',
  audited: 'MIGRATION_EXECUTE',
  examples: ['recreate --environment development', 'recreate --timeout 60s'],
  options: [['--dry-run', 'looks whether it can be done, and changes nothing']],
  prepare:
    (_argument, { dryRun }) =>
    async (settings, hooks, names) => {
      if (dryRun === true) {
        const { foresee } = await import('../foresee.ts');
        const { reportForesight } = await import('../foresee-report.ts');
        return reportForesight(await foresee(settings, 'recreate', hooks), 'recreate', names);
      }
      const { recreateDatabase } = await import('../migrate.ts');
      const { reportMigrate } = await import('../report.ts');
      return reportMigrate(await recreateDatabase(settings, hooks), names);
    },
};
