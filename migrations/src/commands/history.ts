import type { Command } from '../command.ts';

export const history: Command = {
  usage: 'history',
  words: 'lists what was applied, when, and how long it took; needs no files',
  examples: ['history', 'history --format json'],
  prepare: () => async (settings, hooks, names) => {
    const { readHistory } = await import('../inspect.ts');
    const { reportHistory } = await import('../report.ts');
    return reportHistory(await readHistory(settings, hooks), names);
  },
};
