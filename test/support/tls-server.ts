import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { once, type RunningServer, startServer } from './postgres.ts';

const run = promisify(execFile);

/** A server with TLS whose certificate is for `localhost`, signed by an authority that nobody else knows. */
export interface TlsServer extends RunningServer {
  /** The folder of {@link files}. */
  readonly folder: string;
  /** `root.crt` signed the server's certificate and client.crt; `other.crt` is another authority. */
  file(name: 'root.crt' | 'other.crt' | 'client.crt' | 'client.key' | 'root.crl'): string;
}

/** Roles of the server, each with the password `p#w` and a way in; see {@link startTlsServer}. */
export const tlsRoles = ['both', 'only_tls', 'only_plain', 'with_cert'] as const;

/**
 * Starts a server with TLS and makes {@link tlsRoles}: `both` may come with TLS and without, `only_tls` and `only_plain` one way,
 * `with_cert` by its certificate alone. Needs openssl.
 */
export async function startTlsServer(name: string, programs: string): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-tls-'));
  await makeCertificates(folder);
  const server = await startServer(name, programs);
  for (const [from, to] of [
    ['server.crt', 'server.crt'],
    ['server.key', 'server.key'],
    ['root.crt', 'clients.crt'],
  ] as const) {
    const target = join(server.dataFolder, to);
    await copyFile(join(folder, from), target);
    if (process.getuid?.() === 0) await chown(target, 65_534, 65_534);
    await chmod(target, 0o600);
  }
  const statements = [
    ...tlsRoles.map((role) => `create role "${role}" login password 'p#w'`),
    ...tlsRoles.map((role) => `create database "${role}" owner "${role}"`),
    'alter system set ssl = on',
    "alter system set ssl_ca_file = 'clients.crt'",
  ];
  for (const statement of statements) await once(server.superuserUrl, statement);
  await writeFile(join(server.dataFolder, 'pg_hba.conf'), rules);
  await once(server.superuserUrl, 'select pg_reload_conf()');
  await untilTls(server.superuserUrl);
  return {
    ...server,
    get pid() {
      return server.pid;
    },
    folder,
    file: (file) => join(folder, file),
    destroy: async () => {
      await server.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const rules = `
host      all  postgres    127.0.0.1/32  scram-sha-256
host      all  both        127.0.0.1/32  scram-sha-256
hostssl   all  only_tls    127.0.0.1/32  scram-sha-256
hostnossl all  only_plain  127.0.0.1/32  scram-sha-256
hostssl   all  with_cert   127.0.0.1/32  cert
`;

/** The postmaster reads its settings anew when it comes to it. */
async function untilTls(superuserUrl: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const { rows } = await once(
      superuserUrl,
      `select current_setting('ssl') = 'on' and exists (select from pg_hba_file_rules where 'with_cert' = any(user_name)) as ready`,
    );
    // A connection made after the reload has the settings of after the reload, pg_hba.conf too.
    if ((rows[0] as { ready: boolean }).ready) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the server did not take its certificate');
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const authority of ['root', 'other']) {
    const out = ['-keyout', `${authority}.key`, '-out', `${authority}.crt`];
    await openssl('req', '-x509', ...keys, ...out, '-days', '2', '-subj', `/CN=authority ${authority}`);
  }
  const sign = async (name: string, subject: string, extensions: readonly string[]) => {
    await openssl('req', ...keys, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    await writeFile(join(folder, `${name}.ext`), extensions.join('\n'));
    const by = ['-CA', 'root.crt', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '2', '-out', `${name}.crt`);
  };
  await sign('server', '/CN=localhost', ['subjectAltName=DNS:localhost']);
  await sign('client', '/CN=with_cert', ['extendedKeyUsage=clientAuth']);
  await chmod(join(folder, 'client.key'), 0o600);
  // What was revoked: nothing yet, and then the server's certificate.
  await writeFile(join(folder, 'index.txt'), '');
  await writeFile(
    join(folder, 'ca.conf'),
    [
      '[ca]',
      'default_ca = it',
      '[it]',
      'database = index.txt',
      'default_md = sha256',
      'default_crl_days = 2',
    ].join('\n'),
  );
  const authority = ['-config', 'ca.conf', '-cert', 'root.crt', '-keyfile', 'root.key'];
  await openssl('ca', ...authority, '-revoke', 'server.crt');
  await openssl('ca', ...authority, '-gencrl', '-out', 'root.crl');
}
