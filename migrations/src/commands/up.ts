import type { Command } from '../command.ts';
import { stepsOf } from './arguments.ts';
import { migrating } from './migrating.ts';

export const up: Command = {
  usage: 'up [steps]',
  words: 'applies every pending migration, or the next [steps]',
  examples: ['up', 'up 1 --timeout 10s'],
  prepare: (steps) =>
    migrating(steps === undefined ? { kind: 'latest' } : { kind: 'up', steps: stepsOf(steps, 'up') }),
};
