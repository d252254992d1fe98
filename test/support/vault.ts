import { readFile } from 'node:fs/promises';
import { volumeFolder } from './containers.ts';
import type { TestStack } from './stack.ts';

/** Sends one request to the stack's Vault with the root token, or with `token`. */
export async function askVault(
  stack: TestStack,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Response> {
  return fetch(`${stack.vaultUrl}/v1/${path}`, {
    method,
    headers: { 'X-Vault-Token': token ?? (await stack.setting('VAULT_ROOT_TOKEN')) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Logs in with the credentials files of `role` (`services-api-app`); returns the token. */
export async function login(stack: TestStack, role: string): Promise<string> {
  const folder = await volumeFolder(stack, role);
  const [role_id, secret_id] = await Promise.all(
    ['role_id', 'secret_id'].map((file) => readFile(`${folder}/${file}`, 'utf8')),
  );
  const response = await askVault(stack, 'POST', 'auth/approle/login', { role_id, secret_id });
  const { auth } = (await response.json()) as { auth: { client_token: string } };
  return auth.client_token;
}

/** Reads the entry `services-api/app` as the holder of `token`. */
export async function readSecret(stack: TestStack, entry: string, token?: string): Promise<Response> {
  return askVault(stack, 'GET', `secret/data/${entry}`, undefined, token);
}

/** The connection string that Vault holds for a role of a service, as it is reached from this machine. */
export async function connectionString(
  stack: TestStack,
  service: string,
  role: 'migrator' | 'app',
): Promise<string> {
  const response = await readSecret(stack, `${service}/${role}`);
  const { data } = (await response.json()) as { data: { data: { connection_string: string } } };
  const url = new URL(data.data.connection_string);
  url.host = `127.0.0.1:${stack.ports.postgres}`;
  return url.href;
}
