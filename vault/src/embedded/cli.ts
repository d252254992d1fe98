import { markSecret, renderFailure, toFailure } from '@lockstep/foundation';
import { Command, CommanderError, Option } from 'commander';
import { readCredentialsFile } from '../credentials-file.ts';
import { DevVaultOptionError } from './errors.ts';
import { type DevVault, startDevVault } from './server.ts';
import { readServerFlags } from './server-flags.ts';

interface Options {
  readonly port: string;
  readonly address: string;
  readonly rootToken?: string;
  readonly rootTokenFile?: string;
  readonly unsealKeyFile?: string;
  readonly quiet?: true;
}

const banner = (where: string) => `dev-vault: this is lockstep's embedded Vault, for development only
  It keeps secrets in memory and forgets them when it ends. It listens on ${where}, without TLS.
`;

const examples = `
When it is ready it prints one line of JSON on stdout: address, port and pid; and root_token and unseal_key, when it
has made them itself. Everything else goes to stderr. SIGTERM and SIGINT end it with status 0; a mistake in the
options or a taken port ends it with status 2.

dev-vault server -dev takes the place of vault server -dev in a container: it knows -dev-listen-address, on any address,
-dev-root-token-id and VAULT_DEV_ROOT_TOKEN_ID.

Examples:
  $ dev-vault                                        a Vault on port 8200 with a new root token
  $ dev-vault --port 0 --root-token-file token.txt   any free port, the token from a file
  $ curl -H "X-Vault-Token: $TOKEN" http://127.0.0.1:8200/v1/sys/mounts
`;

const program = new Command('dev-vault')
  .description('Runs a development Vault in memory: KV version 2, AppRole, tokens and ACL policies.')
  .option('--port <number>', 'port to listen on; 0 picks a free one', '8200')
  .option('--address <address>', 'loopback address to listen on', '127.0.0.1')
  .addOption(
    new Option(
      '--root-token <token>',
      'root token; anybody on this machine can see it in the list of programs',
    ).conflicts('rootTokenFile'),
  )
  .option('--root-token-file <file>', 'file that holds the root token')
  .option('--unseal-key-file <file>', 'file that holds the key which unseals after a seal')
  .option('--quiet', 'no banner, and no unseal key printed')
  .addHelpText('after', examples)
  .allowExcessArguments(false)
  .showSuggestionAfterError()
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

async function run(argv: readonly string[]): Promise<void> {
  if (argv[2] === 'server') return runServer(argv.slice(3));
  const options = parse(argv);
  const [rootToken, unsealKey] = await Promise.all([
    options.rootTokenFile === undefined
      ? checkToken(options.rootToken)
      : readCredentialsFile(options.rootTokenFile),
    options.unsealKeyFile === undefined ? undefined : readCredentialsFile(options.unsealKeyFile),
  ]);
  if (rootToken !== undefined) markSecret(rootToken);
  if (unsealKey !== undefined) markSecret(unsealKey);
  const vault = await startDevVault({
    port: parsePort(options.port),
    host: options.address,
    rootToken,
    unsealKey,
    onDefect: (error) => void process.stderr.write(renderFailure('dev-vault', error)),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(vault));
  if (options.quiet === undefined) process.stderr.write(banner('the loopback interface'));
  const made = {
    ...(rootToken === undefined ? { root_token: vault.rootToken } : {}),
    // Quiet is how a supervisor runs it: what it prints ends in a log file.
    ...(unsealKey === undefined && options.quiet === undefined ? { unseal_key: vault.unsealKey } : {}),
  };
  process.stdout.write(
    `${JSON.stringify({ address: vault.address, port: vault.port, pid: process.pid, ...made })}\n`,
  );
}

/** As `vault server -dev`, which is what a container runs: its flags, its variables, any address. */
async function runServer(words: readonly string[]): Promise<void> {
  const flags = readServerFlags(words, process.env);
  const rootToken = checkToken(flags.rootToken);
  if (rootToken !== undefined) markSecret(rootToken);
  const vault = await startDevVault({
    ...flags,
    rootToken,
    anyAddress: true,
    onDefect: (error) => void process.stderr.write(renderFailure('dev-vault', error)),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(vault));
  process.stderr.write(banner(vault.address));
  // As Vault does: a token that nobody else was told.
  if (rootToken === undefined) process.stdout.write(`${JSON.stringify({ root_token: vault.rootToken })}\n`);
}

function parse(argv: readonly string[]): Options {
  try {
    return program.parse(argv).opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    throw new DevVaultOptionError(
      error.message
        .replace(/^error: /, '')
        .replace(/\n/g, ' ')
        .replace(/\.$/, ''),
    );
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new DevVaultOptionError(
    `--port must be a number from 0 to 65535, not ${JSON.stringify(text.slice(0, 40))}`,
  );
}

function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]{1,256}$/.test(token)) return token;
  throw new DevVaultOptionError('--root-token must be 1 to 256 printable characters without blanks');
}

async function stop(vault: DevVault): Promise<void> {
  await vault.close();
  process.exit(0);
}

run(process.argv).catch((error: unknown) => {
  // Help and version end as an error with status 0.
  if (error instanceof CommanderError) return;
  process.stderr.write(renderFailure('dev-vault', error));
  process.exitCode = toFailure(error).exitStatus;
});
