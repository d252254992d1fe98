import type { Command } from '../command.ts';

export const status: Command = {
  usage: 'status',
  words: 'lists every migration and its state',
  examples: ['status', 'status --format json'],
  prepare: () => async (settings, hooks, names) => {
    const { readStatus } = await import('../inspect.ts');
    const { reportStatus } = await import('../report.ts');
    return reportStatus(await readStatus(settings, hooks), names);
  },
};
