import { createLog, renderFailure, toFailure } from '@lockstep/foundation';
import { Command } from 'commander';
import { bootstrap } from './bootstrap.ts';
import { InterruptedError } from './errors.ts';
import { readBootstrapSettings } from './settings.ts';

const program = 'vault-bootstrap';

const examples = `
Environment:
  VAULT_ADDR, VAULT_TOKEN_FILE                 Vault and the file of its root token
  POSTGRES_ADDRESS, POSTGRES_USER, POSTGRES_PASSWORD_FILE
                                               Postgres, its superuser and the file of the password
  BOOTSTRAP_SERVICES                           service:database pairs
  POLICIES_PATH                                one <service>-<role>.hcl a role
  CREDENTIALS_FOLDERS                          one folder a role and line, for role_id and secret_id
  POSTGRES_SERVER (shared)                     own: no app role may connect to another database of it
  BOOTSTRAP_TIMEOUT (30s), LOG_LEVEL (info), LOG_FORMAT (text on a terminal, else json)

Examples:
  BOOTSTRAP_SERVICES="services-api:services content-api:content" vault-bootstrap
  BOOTSTRAP_TIMEOUT=2m LOG_FORMAT=json vault-bootstrap

Exit status: 0 done or nothing to do, 2 a setting or file is wrong, 3 Postgres or Vault not there in time,
130 or 143 interrupted.`;

/** Prints a failure and ends the program with its status. */
function fail(error: unknown): never {
  process.stderr.write(renderFailure(program, error));
  process.exit(toFailure(error).exitStatus);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Ends at once: every step is complete or repaired by the next run.
  process.once(signal, () => fail(new InterruptedError(signal)));
}

const command = new Command(program)
  .description(
    'Makes databases, roles, secrets, policies and AppRoles for the services; run again it repairs.',
  )
  .addHelpText('after', examples)
  .allowExcessArguments(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(async () => {
    const settings = readBootstrapSettings(process.env, process.stderr.isTTY === true);
    await bootstrap(settings, createLog(program, { level: settings.logLevel, format: settings.logFormat }));
  });

command.parseAsync().catch(fail);
