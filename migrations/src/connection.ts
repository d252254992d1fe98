import { type Deadline, markSecret, SettingsError } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import { type ConnectionParameters, parseConnectionString } from '@lockstep/postgres';
import type { ConnectionSource, VaultAccess } from './connection-settings.ts';

/** Knows where Postgres is; asks Vault at most once until told to forget. */
export interface ConnectionResolver {
  readonly asksVault: boolean;
  read(): Promise<ConnectionParameters>;
  /** Forgets what Vault said, once: false when it came from elsewhere or was read anew already. */
  forget(): boolean;
}

/** Until when Vault is waited for, and whom to tell. */
export interface ResolveOptions {
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
  readonly log: Log;
}

/** Resolves `source` when first asked; marks the password as secret. */
export function resolveConnection(source: ConnectionSource, options: ResolveOptions): ConnectionResolver {
  let known: Promise<ConnectionParameters> | undefined;
  let forgotten = false;
  return {
    asksVault: source.kind === 'vault',
    read: () => {
      known ??= resolve(source, options);
      return known.then((parameters) => {
        if (parameters.password !== undefined) markSecret(parameters.password);
        return parameters;
      });
    },
    forget: () => {
      if (source.kind !== 'vault' || forgotten) return false;
      forgotten = true;
      known = undefined;
      return true;
    },
  };
}

async function resolve(source: ConnectionSource, options: ResolveOptions): Promise<ConnectionParameters> {
  if (source.kind === 'given') return source.parameters;
  if (source.kind === 'vault') return askVault(source.access, options);
  throw new Error('a command that said it needs no database asked for one');
}

async function askVault(access: VaultAccess, { deadline, signal, log }: ResolveOptions) {
  // Loaded only now: with a connection string given, Vault's client is dead weight.
  const { readSecret } = await import('./vault-secret.ts');
  const text = await readSecret(access, {
    deadline,
    signal,
    onWait: (reason) => log.info(`waiting for Vault: ${reason}`),
  });
  const parameters = parseConnectionString(text);
  if (!('rule' in parameters)) return parameters;
  throw new SettingsError([{ name: `${access.key} in Vault's ${access.path}`, rule: parameters.rule }]);
}
