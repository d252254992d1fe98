import type { Command } from '../command.ts';
import { versionOf } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const goTo: Command = {
  usage: 'goto <version>',
  words: 'migrates up or down to exactly this version',
  options: migratingOptions,
  audited: 'MIGRATION_EXECUTE',
  examples: ['goto 12', 'goto 20250102030405 --format json'],
  prepare: (version, options) =>
    migrating({ kind: 'goto', version: versionOf(version ?? '', 'version', 'goto') }, options),
};
