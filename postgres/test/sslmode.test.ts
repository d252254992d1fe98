import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from '@lockstep/chassis';
import { Deadline, Failure } from '@lockstep/foundation';
import { readConfig, readVersion } from '@lockstep/migrations';
import { escapeLiteral } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers, programOf } from '../../test/support/postgres.ts';
import { startTlsServer, type TlsServer } from '../../test/support/tls-server.ts';
import { tryLogin } from '../../vault/src/bootstrap/postgres.ts';
import { LibpqClient, parseConnectionString } from '../src/index.ts';

const run = promisify(execFile);
const psql = '/usr/lib/postgresql/15/bin/psql';
const question = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

/** How a connection came about. */
type Outcome = 'tls' | 'clear' | 'refused';

const home = { before: process.env['HOME'], folder: '' };
beforeEach(async () => {
  // Certificates in ~/.postgresql count, as libpq has it.
  home.folder = await mkdtemp(join(tmpdir(), 'lockstep-home-'));
  process.env['HOME'] = home.folder;
});
afterEach(async () => {
  process.env['HOME'] = home.before;
  await rm(home.folder, { recursive: true });
});

function listening(server: Server, place: string | number, host?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server
      .once('error', reject)
      .listen({ ...(typeof place === 'number' ? { port: place, host } : { path: place }) }, resolve);
  });
}

async function outcomeOf(open: () => Promise<boolean | undefined>): Promise<Outcome> {
  try {
    return (await open()) === true ? 'tls' : 'clear';
  } catch {
    return 'refused';
  }
}

const readers: Readonly<Record<string, (secret: string) => Promise<Outcome>>> = {
  reader: (secret) =>
    outcomeOf(async () => {
      const parameters = parseConnectionString(secret);
      if ('rule' in parameters) throw new Error(parameters.rule);
      const client = new LibpqClient(parameters);
      client.on('error', () => {});
      try {
        await client.connect();
        return (await client.query<{ ssl: boolean }>(question)).rows[0]?.ssl;
      } finally {
        await client.end();
      }
    }),
  app: (secret) =>
    outcomeOf(async () => {
      const database = new Database({ application: 'probe', connectionString: async () => secret });
      try {
        await database.open(new Deadline(3_000));
        return (await database.query<{ ssl: boolean }>(question)).rows[0]?.ssl;
      } finally {
        await database.close();
      }
    }),
  libpq: (secret) =>
    outcomeOf(async () => {
      const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
      const { stdout } = await run(psql, ['-XAtd', secret, '-c', question], { env });
      return stdout.trim() === 't';
    }),
};

/** Whether a program that does not say how it came in came in at all. */
const doors: Readonly<Record<string, (secret: string) => Promise<boolean>>> = {
  migrator: (secret) =>
    enters(() => readVersion(readConfig({ '--timeout': '3s' }, { DATABASE_CONNECTION_STRING: secret }))),
  bootstrap: (secret) => enters(async () => (await tryLogin(secret, new Deadline(10_000))) === 'in'),
};

async function enters(open: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await open()) !== false;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return false;
  }
}

async function expectAll(secret: string, expected: Outcome, isLibpqs = true): Promise<void> {
  for (const [name, read] of Object.entries(readers)) {
    if (name === 'libpq' && !(isLibpqs && existsSync(psql))) continue;
    expect([name, await read(secret)]).toEqual([name, expected]);
  }
  for (const [name, open] of Object.entries(doors)) {
    expect([name, await open(secret)]).toEqual([name, expected !== 'refused']);
  }
}

describe.skipIf(programOf('openssl') === undefined).each(postgresServers())(
  'on $name',
  ({ name, programs, major, ...plain }) => {
    let server: TlsServer;
    beforeAll(async () => {
      server = await startTlsServer(name, programs);
    });
    afterAll(() => server.destroy());

    const secretOf = (role: string, rest: string, host = 'localhost') =>
      `host=${host} port=${server.port} user=${role} password='p#w' dbname=${role} ${rest}`.trim();
    const fileIn = (text: string) =>
      text.replace(/@([\w.]+)/g, (_, file: 'root.crt' | 'other.crt' | 'client.crt') => server.file(file));

    test.each<readonly [string, string, Outcome]>([
      ['both', '', 'tls'],
      ['both', 'sslmode=disable', 'clear'],
      ['both', 'sslmode=allow', 'clear'],
      ['both', 'sslmode=prefer', 'tls'],
      ['both', 'sslmode=require', 'tls'],
      ['both', 'sslmode=verify-ca', 'refused'],
      ['both', 'sslmode=bogus', 'refused'],
      ['both', 'sslmode=require sslrootcert=@root.crt', 'tls'],
      ['both', 'sslmode=require sslrootcert=@other.crt', 'refused'],
      ['both', 'sslmode=verify-ca sslrootcert=@root.crt', 'tls'],
      ['both', 'sslmode=verify-ca sslrootcert=@other.crt', 'refused'],
      ['both', 'sslmode=verify-full sslrootcert=@root.crt', 'tls'],
      ['both', 'sslmode=verify-full sslrootcert=@other.crt', 'refused'],
      ['both', 'sslmode=verify-full sslrootcert=@nope.crt', 'refused'],
      ['both', 'sslmode=verify-full', 'refused'],
      // TLS that is not trusted is no reason to stay away where clear text would do.
      ['both', 'sslmode=prefer sslrootcert=@other.crt', 'clear'],
      ['both', 'sslmode=verify-full sslrootcert=@root.crt sslcrl=@root.crl', 'refused'],
      ['both', 'sslmode=require ssl_min_protocol_version=TLSv1.3', 'tls'],
      ['both', 'sslmode=require ssl_min_protocol_version=SSLv3', 'refused'],
      ['both', 'sslmode=require channel_binding=require', 'tls'],
      ['both', 'sslmode=disable channel_binding=require', 'refused'],
      ['both', 'sslmode=require target_session_attrs=read-write', 'tls'],
      ['both', 'sslmode=require gssencmode=disable sslsni=0 application_name=x connect_timeout=10', 'tls'],
      ['only_tls', '', 'tls'],
      ['only_tls', 'sslmode=disable', 'refused'],
      ['only_tls', 'sslmode=allow', 'tls'],
      ['only_tls', 'sslmode=prefer', 'tls'],
      ['only_plain', '', 'clear'],
      ['only_plain', 'sslmode=allow', 'clear'],
      ['only_plain', 'sslmode=prefer', 'clear'],
      ['only_plain', 'sslmode=require', 'refused'],
      ['with_cert', 'sslmode=require', 'refused'],
      [
        'with_cert',
        'sslmode=verify-full sslrootcert=@root.crt sslcert=@client.crt sslkey=@client.key',
        'tls',
      ],
      ['with_cert', 'sslmode=require sslcert=@client.crt', 'refused'],
    ])('F12.2 %s with "%s" is the same for every program, and for libpq', async (role, rest, expected) => {
      await expectAll(secretOf(role, fileIn(rest)), expected);
    });

    test('F12.2 the name of the certificate counts for verify-full alone, and hostaddr does not change it', async () => {
      const by = fileIn('sslrootcert=@root.crt');
      await expectAll(secretOf('both', `sslmode=verify-full ${by}`, '127.0.0.1'), 'refused');
      await expectAll(secretOf('both', `sslmode=verify-ca ${by}`, '127.0.0.1'), 'tls');
      await expectAll(secretOf('both', `sslmode=require ${by}`, '127.0.0.1'), 'tls');
      const elsewhere = `hostaddr=127.0.0.1 sslmode=verify-full ${by}`;
      await expectAll(secretOf('both', elsewhere, 'localhost'), 'tls');
      await expectAll(secretOf('both', elsewhere, 'db.example'), 'refused');
    });

    test('F12.3 a server that is not as target_session_attrs wants it is refused', async () => {
      await once(server.superuserUrl, 'alter role "only_plain" set default_transaction_read_only = on');
      for (const [wanted, outcome] of [
        ['any', 'clear'],
        ['read-only', 'clear'],
        ['primary', 'clear'],
        ['prefer-standby', 'clear'],
        ['read-write', 'refused'],
        ['standby', 'refused'],
      ] as const) {
        await expectAll(secretOf('only_plain', `target_session_attrs=${wanted}`), outcome);
      }
    });

    test('F12.3 Unix sockets, on which TLS is never asked for, and IPv6 lead there too', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lockstep-socket-'));
      const forward = (client: Socket) => {
        const upstream = connect(server.port, '127.0.0.1');
        for (const end of [client, upstream]) end.on('error', () => {});
        client.pipe(upstream).pipe(client);
      };
      const [socket, address] = [createServer(forward), createServer(forward)];
      onTestFinished(async () => {
        socket.close();
        address.close();
        await rm(folder, { recursive: true, force: true });
      });
      await listening(socket, join(folder, '.s.PGSQL.5432'));
      await listening(address, 0, '::1');
      const { port } = Object(address.address()) as { port: number };
      for (const secret of [
        `host=${folder} user=both password='p#w' dbname=both sslmode=require`,
        `postgres://both:p%23w@/both?host=${encodeURIComponent(folder)}`,
        `postgres://both:p%23w@${encodeURIComponent(folder)}/both`,
      ]) {
        await expectAll(secret, 'clear');
      }
      await expectAll(`postgres://both:p%23w@[::1]:${port}/both?sslmode=require`, 'tls');
      await expectAll(`host=::1 port=${port} user=both password='p#w' dbname=both sslmode=disable`, 'clear');
    });

    test('F12.1 one password has the same meaning for every program, however it is written', async () => {
      const at = `localhost:${server.port}/both`;
      for (const password of [
        '50%off',
        'p#w',
        '^%&{@/',
        "a'b\\\\c d",
        'p?w=1&a-b=2',
        '%41',
        'ü😀',
        'a:b@c',
      ]) {
        await once(server.superuserUrl, `alter role "both" password ${escapeLiteral(password)}`);
        const quoted = `'${password.replace(/[\\']/g, '\\$&')}'`;
        await expectAll(`postgres://both:${encodeURIComponent(password)}@${at}`, 'tls');
        await expectAll(`host=localhost port=${server.port} dbname=both user=both password=${quoted}`, 'tls');
        // libpq wants it percent-encoded; what is none, and would mean something else then, is not asked of it.
        if (password !== '%41') await expectAll(`postgres://both:${password}@${at}`, 'tls', false);
      }
      await once(server.superuserUrl, `alter role "both" password 'p#w'`);
    });

    test('F12.5 nobody is warned of anything', async () => {
      const warnings: string[] = [];
      const hear = ({ message }: Error) => warnings.push(message);
      process.on('warning', hear);
      onTestFinished(() => void process.off('warning', hear));
      for (const mode of ['allow', 'prefer', 'require', 'verify-ca']) {
        await expectAll(
          secretOf('both', fileIn(`sslmode=${mode} sslrootcert=@root.crt`)),
          mode === 'allow' ? 'clear' : 'tls',
        );
      }
      expect(warnings).toEqual([]);
    });

    test('F12.2 a root certificate in ~/.postgresql makes require verify-ca', async () => {
      await mkdir(join(home.folder, '.postgresql'));
      await copyFile(server.file('other.crt'), join(home.folder, '.postgresql/root.crt'));
      await expectAll(secretOf('both', 'sslmode=require'), 'refused');
      await copyFile(server.file('root.crt'), join(home.folder, '.postgresql/root.crt'));
      await expectAll(secretOf('both', 'sslmode=require'), 'tls');
      await expectAll(secretOf('both', 'sslmode=verify-full'), 'tls');
    });

    test('F12.4 NODE_TLS_REJECT_UNAUTHORIZED=0 weakens neither verify-full nor verify-ca', async () => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      onTestFinished(() => {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      });
      for (const mode of ['verify-full', 'verify-ca', 'require']) {
        await expectAll(secretOf('both', fileIn(`sslmode=${mode} sslrootcert=@other.crt`)), 'refused');
      }
      await expectAll(secretOf('both', 'sslmode=verify-full'), 'refused');
      await expectAll(
        secretOf('both', fileIn('sslmode=verify-full sslrootcert=@root.crt'), '127.0.0.1'),
        'refused',
      );
    });

    test('F12.2 sslnegotiation=direct is TLS from the first byte, where the server has it', async () => {
      const secret = secretOf('both', 'sslmode=require sslnegotiation=direct');
      await expectAll(secret, major >= 17 ? 'tls' : 'refused', false);
      await expectAll(secretOf('both', 'sslmode=prefer sslnegotiation=direct'), 'refused', false);
    });

    test.each<readonly [string, Outcome]>([
      ['', 'clear'],
      ['sslmode=allow', 'clear'],
      ['sslmode=prefer', 'clear'],
      ['sslmode=require', 'refused'],
      ['sslmode=verify-full sslrootcert=@root.crt', 'refused'],
    ])(
      'F12.2 "%s" on a server without TLS is the same for every program, and for libpq',
      async (rest, expected) => {
        const { hostname, port, username, password } = new URL(plain.superuserUrl);
        const where = `host=${hostname} port=${port} user=${username} password=${password} dbname=postgres`;
        await expectAll(`${where} ${fileIn(rest)}`, expected);
      },
    );
  },
);
