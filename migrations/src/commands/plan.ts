import type { Command } from '../command.ts';

export const plan: Command = {
  usage: 'plan',
  words: 'shows what up would run; changes nothing',
  examples: ['plan', 'plan --format json'],
  prepare: () => async (settings, hooks, names) => {
    const { readPlan } = await import('../inspect.ts');
    const { reportPlan } = await import('../report.ts');
    return reportPlan(await readPlan(settings, { kind: 'latest' }, hooks), names);
  },
};
