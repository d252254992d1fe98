import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, once, programOf, type TestDatabase } from './postgres.ts';

/** A PgBouncer before the server of one database. */
export interface PgBouncer {
  /** The owner's and the app's URL, by way of it. */
  readonly ownerUrl: string;
  readonly appUrl: string;
  stop(): Promise<void>;
}

/** Starts Debian's PgBouncer with lines of its configuration, such as `pool_mode = transaction`. */
export async function startPgBouncer(database: TestDatabase, ...lines: string[]): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-pgbouncer-'));
  const server = new URL(database.ownerUrl);
  const port = await freePort();
  const users = [database.ownerUrl, database.appUrl].map((text) => {
    const { username, password } = new URL(text);
    return `"${username}" "${decodeURIComponent(password)}"`;
  });
  const files = {
    'users.txt': users.join('\n'),
    'pgbouncer.ini': [
      '[databases]',
      `* = host=${server.hostname} port=${server.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${folder}/users.txt`,
      ...lines,
    ].join('\n'),
  };
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (nobody.uid !== undefined) await chown(folder, nobody.uid, nobody.gid);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    if (nobody.uid !== undefined) await chown(join(folder, name), nobody.uid, nobody.gid);
  }
  const child = spawn(programOf('pgbouncer') ?? 'pgbouncer', [join(folder, 'pgbouncer.ini')], {
    ...nobody,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const by = (text: string) => {
    const url = new URL(text);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
  const appUrl = by(database.appUrl);
  await untilUp(child, appUrl, () => said);
  return {
    ownerUrl: by(database.ownerUrl),
    appUrl,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilUp(child: ChildProcess, url: string, said: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; ; ) {
    const isUp = await once(url, 'select 1').then(
      () => true,
      () => false,
    );
    if (isUp) return;
    if (Date.now() > end || child.exitCode !== null) throw new Error(`pgbouncer did not start: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
