import type { Command } from '../command.ts';
import { stepsOrAll } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const down: Command = {
  usage: 'down [steps]',
  words: 'takes back the last migration, or the last [steps], or all',
  options: migratingOptions,
  audited: 'MIGRATION_ROLLBACK',
  examples: ['down', 'down 3', 'down --dry-run'],
  prepare: (steps, options) => migrating({ kind: 'down', steps: stepsOrAll(steps ?? '1', 'down') }, options),
};
