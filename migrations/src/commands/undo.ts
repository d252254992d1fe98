import type { Command } from '../command.ts';

export const undo: Command = {
  usage: 'undo',
  words: 'brings back the database that the last recreate kept; development only',
  audited: 'MIGRATION_ROLLBACK',
  examples: ['undo --environment development', 'undo --format json'],
  options: [['--dry-run', 'looks whether it can be done, and changes nothing']],
  prepare:
    (_argument, { dryRun }) =>
    async (settings, hooks, names) => {
      if (dryRun === true) {
        const { foresee } = await import('../foresee.ts');
        const { reportForesight } = await import('../foresee-report.ts');
        return reportForesight(await foresee(settings, 'undo', hooks), 'undo', names);
      }
      const { undo: swapBack } = await import('../undo.ts');
      const { reportMigrate } = await import('../report.ts');
      return reportMigrate(await swapBack(settings, hooks), names);
    },
};
