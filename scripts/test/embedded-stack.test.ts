import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, StackFolder, until } from './support/stack-folder.ts';

const ready = {
  postgres: 'healthy',
  bootstrap: 'completed',
  'one-migrations': 'completed',
  'two-migrations': 'completed',
  one: 'healthy',
  two: 'healthy',
};

describe('the embedded engine, on one stack from start to reset', () => {
  let stack: StackFolder;
  beforeAll(async () => {
    stack = await StackFolder.make();
  });
  afterAll(() => stack.remove());

  it('starts everything from nothing, and says what runs where', async () => {
    const { status, stdout, stderr } = await stack.run(['up']);
    expect(stderr).toContain('wrote .env with generated secrets\n');
    expect(stderr).toMatch(/^ready in \d+\.\d s on embedded: /m);
    expect(stdout).toMatch(
      new RegExp(`^one +healthy +http://127\\.0\\.0\\.1:${stack.ports['ONE_PORT']} +\\d+\\.\\d$`, 'm'),
    );
    expect(stdout).toContain('psql to one: make psql SERVICE=one\n');
    expect(status).toBe(0);
    expect(await stack.states()).toEqual(ready);
  });

  it('keeps .env and the secrets from other users', () => {
    expect(statSync(join(stack.root, '.env')).mode & 0o777).toBe(0o600);
    expect(statSync(join(stack.root, '.lockstep/secrets')).mode & 0o777).toBe(0o700);
    expect(stack.read('.env')).toMatch(/^POSTGRES_PASSWORD=[\w-]{43}$/m);
    expect(stack.read('.env')).toContain(
      `POSTGRES_PASSWORD=${stack.read('.lockstep/secrets/postgres_password')}\n`,
    );
  });

  it('runs a Postgres that wants the generated password', async () => {
    const at = {
      host: '127.0.0.1',
      port: stack.ports['POSTGRES_PORT'],
      user: 'postgres',
      database: 'postgres',
    };
    const right = new pg.Client({ ...at, password: stack.read('.lockstep/secrets/postgres_password') });
    await right.connect();
    const { rows } = await right.query("select current_setting('server_encoding') as encoding");
    expect(rows).toEqual([{ encoding: 'UTF8' }]);
    await right.end();
    const wrong = new pg.Client({ ...at, password: 'wrong' });
    wrong.on('error', () => undefined);
    await expect(wrong.connect()).rejects.toThrow('password authentication failed for user "postgres"');
  });

  it('gives a service local names, and nothing of the caller’s environment', async () => {
    const { environment } = await stack.ask('one');
    expect(environment['LISTEN_ADDRESS']).toBe(`127.0.0.1:${stack.ports['ONE_PORT']}`);
    expect(environment['POSTGRES_URL']).toBe(`postgres://127.0.0.1:${stack.ports['POSTGRES_PORT']}/postgres`);
    expect(environment['OTHER_URL']).toBe(`http://127.0.0.1:${stack.ports['TWO_PORT']}/x`);
    expect(environment).not.toHaveProperty('ENGINE');
    expect(environment).not.toHaveProperty('POSTGRES_PORT');
  });

  it('changes nothing at a second up but runs the one-shots again', async () => {
    const before = await stack.pids();
    const { status, stdout } = await stack.run(['up']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^postgres +healthy +postgres:\/\/127\.0\.0\.1:\d+$/m);
    expect(await stack.pids()).toEqual(before);
    expect(stack.runs('bootstrap')).toEqual(['up', 'up']);
    expect(stack.runs('one')).toEqual(['up', 'up']);
  });

  it('restarts only the service whose program changed', async () => {
    const before = await stack.pids();
    stack.write('programs/app.mjs', `${stack.read('programs/app.mjs')}\n`);
    const { status } = await stack.run(['up']);
    expect(status).toBe(0);
    const after = await stack.pids();
    expect(after['postgres']).toBe(before['postgres']);
    expect(after['one']).not.toBe(before['one']);
    expect(after['two']).not.toBe(before['two']);
  });

  it('runs a one-shot with other arguments and passes on its exit status', async () => {
    const good = await stack.run(['run', 'one-migrations', 'status', '--format', 'json']);
    expect(good).toEqual({ status: 0, stdout: '{"argv":["status","--format","json"]}\n', stderr: '' });
    expect(stack.runs('one').at(-1)).toBe('status --format json');
    stack.write('one/migrations/plan', 'exit 5\n');
    expect((await stack.run(['run', 'one-migrations', 'down', '1'])).status).toBe(5);
    stack.write('one/migrations/plan', '');
  });

  it('prints one JSON document for the migrators of all services', async () => {
    const { status, stdout } = await stack.run(['migrate', '--format', 'json', 'status']);
    expect(status).toBe(0);
    const argv = ['status', '--format', 'json'];
    expect(JSON.parse(stdout)).toEqual({ one: { argv }, two: { argv } });
  });

  it('prints the logs of the services, each line after its name', async () => {
    const { stdout } = await stack.run(['logs', 'one', 'two', '--tail', '1']);
    expect(stdout.replace(/^\d\d:\d\d:\d\d\.\d{3} /gm, '')).toBe(
      `one | listening on 127.0.0.1:${stack.ports['ONE_PORT']}\n` +
        `two | listening on 127.0.0.1:${stack.ports['TWO_PORT']}\n`,
    );
  });

  it('goes on with what is added when it follows the logs', async () => {
    const following = stack.start(['logs', '-f', 'one']);
    let said = '';
    following.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    onTestFinished(() => void following.kill('SIGKILL'));
    await until('what is there is printed', () => said.includes('listening on'));
    appendFileSync(join(stack.root, '.lockstep/embedded/logs/one.log'), 'a first line\nand then ');
    await until('the line is printed', () => said.includes('a first line\n'));
    expect(said).not.toContain('and then');
  });

  it('leaves the one service down whose migration fails, and brings it up once that is put right', async () => {
    await stack.run(['down']);
    stack.write('one/migrations/plan', 'migrate: 000003 failed\n  line 4\nexit 1\n');
    const failed = await stack.run(['up']);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain(
      [
        'stack: one-migrations did not become ready',
        '  one-migrations: failed with exit status 1',
        '    migrate: 000003 failed',
        '      line 4',
        '  one: not started: waits for one-migrations',
        '  try: make why SERVICE=one-migrations shows this again; fix it, then run make up',
        '',
      ].join('\n'),
    );
    expect(await stack.states()).toEqual({ ...ready, 'one-migrations': 'failed', one: 'created' });
    const before = await stack.pids();
    stack.write('one/migrations/plan', '');
    expect((await stack.run(['up'])).status).toBe(0);
    expect(await stack.states()).toEqual(ready);
    expect((await stack.pids())['two']).toBe(before['two']);
  });

  it('restarts a service that crashed', async () => {
    const { one } = await stack.pids();
    await stack.ask('one', '/crash').catch(() => undefined);
    await until('another process is healthy', async () => {
      const now = (await stack.services()).find(({ service }) => service === 'one');
      return now?.state === 'healthy' && now.pid !== one;
    });
    expect(isRunning(one)).toBe(false);
  });

  it('stops everything in reverse order and leaves no process and no socket', async () => {
    const pids = Object.values(await stack.pids());
    const supervisor = stack.supervisorPid();
    const { status, stderr } = await stack.run(['down']);
    expect(status).toBe(0);
    const order = [...stderr.matchAll(/^ {2}(\w+) stopped$/gm)].map(([, name]) => name);
    expect(order.at(-1)).toBe('postgres');
    expect([...order].sort()).toEqual(['one', 'postgres', 'two']);
    await until('the supervisor is gone', () => !isRunning(supervisor));
    expect(pids.filter(isRunning)).toEqual([]);
    expect(await stack.states()).toEqual(
      Object.fromEntries(Object.keys(ready).map((name) => [name, 'stopped'])),
    );
    expect((await stack.run(['down'])).status).toBe(0);
  });

  it('keeps the data of Postgres over down and up, and deletes it at a reset', async () => {
    const { POSTGRES_PORT: port } = stack.ports;
    const query = async (text: string): Promise<unknown[]> => {
      const password = stack.read('.lockstep/secrets/postgres_password');
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'postgres',
        database: 'postgres',
        password,
      });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    };
    await stack.run(['up']);
    await query('create table kept as select 1 as number');
    await stack.run(['down']);
    await stack.run(['up']);
    expect(await query('select number from kept')).toEqual([{ number: 1 }]);
    const before = stack.read('.env');
    const { status, stderr } = await stack.run(['reset']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^reset: deleting every volume of a-stack-[0-9a-f]{6}, with all its data: postgres, seed$/m,
    );
    expect(stderr).toContain('reset: deleted postgres, seed\n');
    expect(stack.read('.env')).toBe(before);
    await expect(query('select number from kept')).rejects.toThrow('relation "kept" does not exist');
    expect(stack.runs('bootstrap')).toEqual(['up']);
  });
});
