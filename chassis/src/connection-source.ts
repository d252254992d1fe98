import { type Deadline, markSecret } from '@lockstep/foundation';
import { parseConnectionString } from '@lockstep/postgres';
import { readSecret, type SecretAccess } from '@lockstep/vault';
import { ConnectionStringError } from './errors.ts';

/** Where the connection string of an app comes from: given directly, or kept in Vault. */
export type ConnectionSource =
  | { readonly kind: 'direct'; readonly connectionString: string }
  | { readonly kind: 'vault'; readonly access: SecretAccess };

/**
 * Reads the connection string from its source, as the migrator does, and marks its password as a secret.
 *
 * @param onWait told why, whenever Vault lets the app wait
 * @throws {ConnectionStringError} when what Vault holds is no connection string; failures of Vault pass through
 */
export async function readConnectionString(
  source: ConnectionSource,
  options: { deadline: Deadline; onWait?: (reason: string) => void },
): Promise<string> {
  const text =
    source.kind === 'direct' ? source.connectionString : (await readSecret(source.access, options)).trim();
  markSecret(text);
  const parameters = parseConnectionString(text);
  if ('rule' in parameters) {
    const origin = source.kind === 'direct' ? 'DATABASE_CONNECTION_STRING' : `Vault (${source.access.path})`;
    throw new ConnectionStringError(origin, parameters.rule);
  }
  if (parameters.password !== undefined) markSecret(parameters.password);
  return text;
}
