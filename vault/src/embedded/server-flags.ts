import { DevVaultOptionError } from './errors.ts';

/** What `vault server -dev …` says, in the words of the embedded Vault. */
export interface ServerFlags {
  readonly host: string;
  readonly port: number;
  readonly rootToken: string | undefined;
}

/**
 * Reads the flags of Vault's own `server` command, with one or two dashes, so that a container written for Vault starts the
 * embedded one as well. As with Vault, a flag wins over VAULT_DEV_ROOT_TOKEN_ID and VAULT_DEV_LISTEN_ADDRESS, and any
 * address may be named. `-dev` has to be there: there is no other server here.
 *
 * @throws {DevVaultOptionError} for a flag that Vault has and this one does not
 */
export function readServerFlags(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ServerFlags {
  const given = new Map(words.map(split));
  for (const [name] of given) {
    if (!known.has(name))
      throw new DevVaultOptionError(`the embedded Vault has no flag -${name.slice(0, 60)}`);
  }
  if (given.get('dev') === undefined || given.get('dev') === 'false')
    throw new DevVaultOptionError('server needs -dev: the embedded Vault is for development only');
  const address =
    given.get('dev-listen-address') || environment['VAULT_DEV_LISTEN_ADDRESS'] || '127.0.0.1:8200';
  return {
    ...readAddress(address),
    rootToken: given.get('dev-root-token-id') || environment['VAULT_DEV_ROOT_TOKEN_ID'] || undefined,
  };
}

const known = new Set([
  'dev',
  'dev-listen-address',
  'dev-no-store-token',
  'dev-root-token-id',
  // Without a meaning here: nothing is logged of requests, and memory is never locked.
  'log-level',
  'log-format',
  'disable-mlock',
]);

function split(word: string): [name: string, value: string] {
  const [, name, value] = /^--?([^=]+)(?:=(.*))?$/.exec(word) ?? [];
  if (name === undefined)
    throw new DevVaultOptionError(`server takes flags only, not ${JSON.stringify(word.slice(0, 60))}`);
  return [name, value ?? 'true'];
}

function readAddress(text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(?:tcp:\/\/)?(\[[\da-fA-F:]+\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw new DevVaultOptionError(
      `-dev-listen-address must be host:port, not ${JSON.stringify(text.slice(0, 60))}`,
    );
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}
