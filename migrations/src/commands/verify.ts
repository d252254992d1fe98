import type { Command } from '../command.ts';

export const verify: Command = {
  usage: 'verify',
  words: 'compares the schema with its files and its specification; changes nothing',
  options: [['--rollbacks', 'proves instead that each down file undoes its up file']],
  help: `
The schema that is there must equal what the applied files make and, where --specification names one, what that file
says. Both are built in scratch databases, so the role needs CREATEDB, or --scratch-url names another server.
With --rollbacks each migration runs up, down and up again in a scratch database.

What they make must be there as they make it. What else is there is a note: partitions an app makes, extensions, grants,
other schemas. With --strict it is a failure too, except for what --ignore names.

It ends with 6 when something differs, and says what.`,
  recorded: true,
  examples: [
    'verify --specification services-api/SERVICES-SCHEMA.md',
    'verify --strict --ignore "extension pg_stat_statements, table events_*"',
    'verify --rollbacks --format json',
  ],
  prepare:
    (_argument, { rollbacks }) =>
    async (settings, hooks, names) => {
      const { verifyRollbacks, verifySchema } = await import('../catalog/verify.ts');
      const { reportRollbacks, reportVerify } = await import('../catalog/verify-report.ts');
      if (rollbacks === true) return reportRollbacks(await verifyRollbacks(settings, hooks), names);
      return reportVerify(await verifySchema(settings, hooks), names);
    },
};
