import type { Command } from '../command.ts';

export const seed: Command = {
  usage: 'seed',
  words: 'loads the seeds of the environment; again and again with the same result',
  options: [
    ['--dry-run', 'loads and rolls back, to show what would change'],
    ['--allow-production', 'seeds production, which is refused otherwise'],
  ],
  help: `
Files below seeds/common and seeds/<environment> in the folder of migrations, in the order of their names: 10_users.csv and 20_sales.orders.json
hold rows of a table, 30_anything.sql runs as it is. A row is known again by its primary key, or by what seeds/keys.json says:
  { "users": ["email"] }
New rows are inserted, those that differ updated, the rest left alone; all files together or none.`,
  examples: ['seed --environment development', 'seed --dry-run --format json'],
  prepare: (_argument, options) => async (settings, hooks, names) => {
    const { seed: run } = await import('../seeds/seed.ts');
    const { reportSeed } = await import('../seeds/seed-report.ts');
    const wishes = {
      allowProduction: options['allowProduction'] === true,
      dryRun: options['dryRun'] === true,
    };
    return reportSeed(await run(settings, wishes, hooks), names);
  },
};
