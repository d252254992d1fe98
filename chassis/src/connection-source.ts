import { type Deadline, markSecret } from '@lockstep/foundation';
import { readSecret, type SecretAccess } from '@lockstep/vault';
import { ConnectionStringError } from './errors.ts';

/** Where the connection string of an app comes from: given directly, or kept in Vault. */
export type ConnectionSource =
  | { readonly kind: 'direct'; readonly connectionString: string }
  | { readonly kind: 'vault'; readonly access: SecretAccess };

/**
 * Reads the connection string from its source and marks its password as a secret.
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
  const mistake = connectionStringMistake(text);
  if (mistake !== undefined) {
    const origin = source.kind === 'direct' ? 'DATABASE_CONNECTION_STRING' : `Vault (${source.access.path})`;
    throw new ConnectionStringError(origin, mistake);
  }
  const { password } = new URL(text);
  markSecret(password);
  markSecret(decodeURIComponent(password));
  return text;
}

/** The rule that `text` breaks as a connection string, or undefined when it breaks none. Never repeats the text. */
export function connectionStringMistake(text: string): string | undefined {
  // Not shown as an example: printed, it would be taken for a URL with a password and masked.
  const rule = 'expected a postgres:// URL with user, host and database';
  if (text.includes('\0')) return `${rule} without a NUL character`;
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return rule;
  const url = new URL(text);
  if (url.hostname === '' || url.pathname.length < 2) return rule;
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
  } catch {
    return `${rule} with special characters percent-encoded (% is %25)`;
  }
  return undefined;
}
