import type { Command } from '../command.ts';
import { versionOf } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const rollback: Command = {
  usage: 'rollback <version>',
  words: 'takes back every migration above this version; never goes up',
  options: migratingOptions,
  help: `
--rollback-to-version <version> without a command means the same. With moderate or extensive validation a rollback is rehearsed
in a scratch database, and on the restored backup where there is one, before anything is changed.`,
  audited: 'MIGRATION_ROLLBACK',
  examples: ['rollback 12', 'rollback 12 --environment staging --yes'],
  prepare: (version, options) => {
    const wanted = versionOf(version ?? '', 'version', 'rollback');
    return migrating({ kind: 'goto', version: wanted, downOnly: true }, options);
  },
};
