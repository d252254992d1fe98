import type { Command } from '../command.ts';
import { versionOf } from './arguments.ts';

export const force: Command = {
  usage: 'force <version>',
  words: 'says that the schema is at this version, and clean; runs nothing',
  options: [
    ['--yes', 'does not ask'],
    ['--dry-run', 'tells what would change, and changes nothing'],
  ],
  help: `
For a database that somebody has put right by hand. The version is a number, or none. On a terminal it asks for a typed
yes; without one it ends with 7 unless --yes is given.`,
  audited: 'MIGRATION_EXECUTE',
  examples: ['force 12 --dry-run', 'force none --yes'],
  prepare: (argument, { yes, dryRun }) => {
    const version = argument === 'none' ? undefined : versionOf(argument ?? '', 'version', 'force');
    const isDryRun = dryRun === true;
    return async (settings, hooks, names) => {
      const { forceVersion } = await import('../adopt.ts');
      const { reportAdopt } = await import('../adopt-report.ts');
      if (yes !== true && !isDryRun) {
        const { confirm } = await import('../confirm.ts');
        const name = settings.service ?? 'the database';
        await confirm(
          `force sets the version of ${name} to ${version ?? 'none'} and runs nothing`,
          hooks.signal,
        );
      }
      return reportAdopt(await forceVersion(settings, { version, isDryRun }, hooks), names);
    };
  },
};
