import type { Command } from '../command.ts';
import { textOf, versionOf } from './arguments.ts';

export const check: Command = {
  usage: 'check',
  words: 'succeeds when the schema is there, clean and new enough; changes nothing',
  options: [
    ['--at-least <version>', 'the version that the app needs'],
    ['--wait', 'asks again until it holds, within --timeout'],
  ],
  help: `
What an app asks before it serves, in any language, with a role that may SELECT from schema_migrations and nothing else.
Without --at-least the schema must be at the newest version of the files in --path; any clean version does where
no folder is named and ./migrations holds none.

It ends with 0 when that holds; with 3 when the schema is absent, older or closed to the role, or Postgres is not there
in time; with 5 when it is dirty. Without --wait the schema is looked at once; Postgres itself is waited for all the same.
With Vault, VAULT_SECRET_PATH names the app's entry, as in secret/data/shop/app.`,
  examples: ['check --at-least 12', 'check --at-least 12 --wait --timeout 60s'],
  prepare: (_argument, { atLeast, wait }) => {
    const least = textOf(atLeast);
    const request = {
      atLeast: least === undefined ? undefined : versionOf(least, '--at-least', 'check'),
      wait: wait === true,
    };
    return async (settings, hooks, names) => {
      const { checkSchema } = await import('../check.ts');
      const { reportCheck } = await import('../report.ts');
      return reportCheck(await checkSchema(settings, request, hooks), names);
    };
  },
};
