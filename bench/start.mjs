// Measures what a developer waits for, on a stack of its own: `npm run bench`. Prints medians and ranges in
// milliseconds, and each case's ratio to a bare Node start measured in the same rounds.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyStack, measuredEnvironment, project, Samples } from './stack-copy.mjs';

const rounds = Number(process.argv[2] ?? 5);
const { folder, environment, run, stack, remove } = await copyStack('embedded');
const samples = new Samples();
const sample = (name, work) => samples.take(name, work);

try {
  for (let round = 0; round < rounds; round++) {
    await sample('bare node start', () => run(process.execPath, ['-e', '0']));
    await sample('up, no data', () => stack('up'));
    await sample('up again, nothing to do', () => stack('up'));
    const credentials = join(folder, '.lockstep/embedded/volumes/services-api-migrator');
    const noop = {
      ...measuredEnvironment,
      VAULT_ADDR: `http://127.0.0.1:${environment.VAULT_PORT}`,
      VAULT_ROLE_ID_FILE: join(credentials, 'role_id'),
      VAULT_SECRET_ID_FILE: join(credentials, 'secret_id'),
      VAULT_SECRET_PATH: 'secret/data/services-api/migrator',
      MIGRATION_SERVICE: 'services-api',
      MIGRATION_ENVIRONMENT: 'development',
      MIGRATIONS_PATH: join(folder, 'services-api/migrations'),
    };
    const migrate = join(project, 'migrations/dist/migrate.start.cjs');
    await sample('migrate up, nothing to do, with Vault', () =>
      run(process.execPath, [migrate, 'up'], { env: noop }),
    );
    const token = (await readFile(join(folder, '.env'), 'utf8')).match(/^VAULT_ROOT_TOKEN=(.*)$/m)[1];
    const answer = await fetch(`${noop.VAULT_ADDR}/v1/secret/data/services-api/migrator`, {
      headers: { 'X-Vault-Token': token },
    });
    const direct = {
      PATH: process.env.PATH,
      DATABASE_CONNECTION_STRING: (await answer.json()).data.data.connection_string,
      MIGRATIONS_PATH: noop.MIGRATIONS_PATH,
    };
    await sample('migrate up, nothing to do, without Vault', () =>
      run(process.execPath, [migrate, 'up'], { env: direct }),
    );
    await sample('status', () => stack('status'));
    await sample('reset', () => stack('reset'));
    await sample('down', () => stack('down'));
    await sample('up, data kept', () => stack('up'));
    await stack('down', '--volumes');
  }
} finally {
  await remove();
}

console.log(`${rounds} rounds, milliseconds, whole processes`);
samples.print('bare node start');
