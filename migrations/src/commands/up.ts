import type { Command } from '../command.ts';
import { stepsOf } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const up: Command = {
  usage: 'up [steps]',
  words: 'applies every pending migration, or the next [steps]',
  options: migratingOptions,
  audited: 'MIGRATION_EXECUTE',
  examples: ['up', 'up 1 --timeout 10s', 'up --dry-run', 'up --approved plan.json --environment production'],
  prepare: (steps, options) =>
    migrating(
      steps === undefined ? { kind: 'latest' } : { kind: 'up', steps: stepsOf(steps, 'up') },
      options,
    ),
};
