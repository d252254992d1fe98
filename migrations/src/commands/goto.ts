import type { Command } from '../command.ts';
import { targetOf } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const goTo: Command = {
  usage: 'goto <version>',
  words: 'migrates up or down to exactly this version, or to none',
  options: migratingOptions,
  audited: 'MIGRATION_EXECUTE',
  examples: ['goto 12', 'goto 20250102030405 --format json', 'goto none --dry-run'],
  prepare: (version, options) => migrating(targetOf(version ?? '', 'goto'), options),
};
