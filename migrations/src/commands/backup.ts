import type { Command } from '../command.ts';

export const backup: Command = {
  usage: 'backup',
  words: 'takes a full backup with pg_dump, and proves that it restores',
  options: [
    ['--unverified', 'does not restore it into a scratch database to compare the two'],
    ['--list', 'lists the backups in the folder instead; asks no server'],
  ],
  help: `
The dump (pg_dump's custom format) and a manifest beside it (version, checksum, the schema's fingerprint, rows by table) go
to --backup-folder; the newest --backup-keep stay. pg_dump must be of the server's major version. Writers may go on meanwhile.
To verify, it is restored into a scratch database, so the role needs CREATEDB, or --scratch-url names another server.

It ends with 3 when the backup cannot be taken, with 6 when it does not restore to what it was taken of.`,
  examples: ['backup --backup-folder /var/backups/shop', 'backup --list --format json'],
  offline: ({ list }) => list === true,
  prepare:
    (_argument, { unverified, list }) =>
    async (settings, hooks, names) => {
      const { backUpDatabase, readBackups } = await import('../backup/backup.ts');
      const { reportBackup, reportBackups } = await import('../backup/backup-report.ts');
      if (list === true) return reportBackups(await readBackups(settings));
      return reportBackup(await backUpDatabase(settings, { verified: unverified !== true }, hooks), names);
    },
};
