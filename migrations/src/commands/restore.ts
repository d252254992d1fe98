import type { Command } from '../command.ts';
import { textOf } from './arguments.ts';

export const restore: Command = {
  usage: 'restore <backup>',
  words: 'brings a backup back; the database as it was is kept',
  options: [
    ['--into <database>', 'makes a new database of it instead, and leaves the present one alone'],
    ['--yes', 'does not ask'],
    ['--dry-run', 'checks that the backup is there and whole, and changes nothing'],
  ],
  help: `
<backup> is latest (the latest full one, unless --into is given), the name of one in --backup-folder, or the path of a dump. It is restored into a new database beside the
present one and compared with its manifest; then the two swap names in one transaction, and the old one stays as
<database>__before_<time>. Sessions in the old one are ended. On a terminal it asks for a typed yes; without one it ends with 7
unless --yes is given.

It ends with 3 when the dump is missing, cut short or changed, with 6 when what came out of it is not what went in.`,
  audited: 'MIGRATION_ROLLBACK',
  examples: ['restore latest --yes', 'restore shop__20260102T030405_full_9f2c01 --into shop_copy'],
  prepare: (argument, { into, yes, dryRun }) => {
    const request = { wanted: argument ?? '', into: textOf(into), isDryRun: dryRun === true };
    return async (settings, hooks, names) => {
      const { restoreDatabase } = await import('../backup/restore.ts');
      const { reportRestore } = await import('../backup/backup-report.ts');
      if (yes !== true && !request.isDryRun && request.into === undefined) {
        const { confirm } = await import('../confirm.ts');
        const name = settings.service ?? 'the database';
        await confirm(
          `restore replaces ${name} by the backup ${request.wanted}; the database as it is stays under another name`,
          hooks.signal,
        );
      }
      return reportRestore(await restoreDatabase(settings, request, hooks), names);
    };
  },
};
