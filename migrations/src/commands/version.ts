import type { Command } from '../command.ts';

export const version: Command = {
  usage: 'version',
  words: 'prints the version of the schema',
  examples: ['version', 'version --format json'],
  prepare: () => async (settings, hooks, names) => {
    const { readVersion } = await import('../inspect.ts');
    const { reportVersion } = await import('../report.ts');
    return reportVersion(await readVersion(settings, hooks), names);
  },
};
