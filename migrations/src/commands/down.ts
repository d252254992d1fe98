import type { Command } from '../command.ts';
import { stepsOf } from './arguments.ts';
import { migrating } from './migrating.ts';

export const down: Command = {
  usage: 'down [steps]',
  words: 'takes back the last migration, or the last [steps]',
  examples: ['down', 'down 3'],
  prepare: (steps) => migrating({ kind: 'down', steps: stepsOf(steps ?? '1', 'down') }),
};
