import type { Command } from '../command.ts';

export const validate: Command = {
  usage: 'validate',
  words: 'reads every file and checks names, pairs and SQL that cannot be split; asks no server',
  help: `
Every mistake of every file is told with its place; it ends with 3 then. What only a server knows is shown by: plan, verify and
verify --rollbacks.`,
  examples: ['validate --path services-api/migrations', 'validate --format json'],
  offline: () => true,
  prepare: () => async (settings, _hooks, names) => {
    const { loadLayout } = await import('../load.ts');
    const { reportValidation } = await import('../report-files.ts');
    return reportValidation(settings.path, await loadLayout(settings.path, settings.layout), names);
  },
};
