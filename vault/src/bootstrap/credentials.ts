import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecretId, readAppRole, readPolicy, readRoleId, writeAppRole, writePolicy } from '../admin.ts';
import { readCredentialsFile } from '../credentials-file.ts';
import { CredentialsFileError } from '../errors.ts';
import { ownTexts } from '../json.ts';
import type { VaultSession } from '../session.ts';
import { BootstrapFileError } from './errors.ts';
import type { ServiceRole } from './service.ts';

const largestPolicy = 1024 * 1024;

// A secret id without limits: one that can be used up makes the next restart fail. Its volume is what protects it.
const roleSettings = { token_ttl: '5m', token_max_ttl: '15m', secret_id_num_uses: 0, secret_id_ttl: 0 };

/** Makes sure that the role's policy in Vault is its file's text. Returns what was done, if anything. */
export async function ensurePolicy(
  session: VaultSession,
  policiesPath: string,
  { name }: ServiceRole,
): Promise<string | undefined> {
  const text = await readPolicyFile(join(policiesPath, `${name}.hcl`));
  if ((await readPolicy(session, name)) === text) return undefined;
  await writePolicy(session, name, text);
  return `policy ${name}`;
}

/**
 * Makes sure that the AppRole is there and that the files `role_id` and `secret_id` in `folder` log in as it.
 * Returns what was done, if anything.
 */
export async function ensureCredentials(
  session: VaultSession,
  folder: string,
  { name }: ServiceRole,
): Promise<string[]> {
  const made: string[] = [];
  const policies = ownTexts(await readAppRole(session, name), 'token_policies');
  if (policies.length !== 1 || policies[0] !== name) {
    await writeAppRole(session, name, { ...roleSettings, token_policies: [name] });
    made.push(`AppRole ${name}`);
  }
  const roleId = (await readRoleId(session, name)) ?? '';
  if (!(await stillWork(session, folder, roleId))) {
    await writeCredentials(folder, { role_id: roleId, secret_id: await createSecretId(session, name) });
    made.push(`credentials ${name}`);
  }
  return made;
}

/** Whether the files log in as the role. A file of a Vault that lost its memory, or none at all, does not. */
async function stillWork(session: VaultSession, folder: string, roleId: string): Promise<boolean> {
  try {
    const [storedRoleId, secretId] = await Promise.all([
      readCredentialsFile(join(folder, 'role_id')),
      readCredentialsFile(join(folder, 'secret_id')),
    ]);
    if (storedRoleId !== roleId) return false;
    return (await session.tryLogin({ roleId, secretId })) !== undefined;
  } catch (error) {
    if (error instanceof CredentialsFileError) return false;
    throw error;
  }
}

/** Each file appears whole or not at all; only its owner may read it. */
async function writeCredentials(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      const unfinished = join(folder, `.${name}.unfinished`);
      await rm(unfinished, { force: true });
      await writeFile(unfinished, content, { mode: 0o400 });
      await rename(unfinished, join(folder, name));
    }
  } catch (error) {
    throw new BootstrapFileError(folder, `credentials cannot be written (${reasonOf(error)})`, error);
  }
}

async function readPolicyFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > largestPolicy) throw new BootstrapFileError(path, 'a policy may not be larger than 1 MB');
    const text = await readFile(path, 'utf8');
    if (text.trim() === '') throw new BootstrapFileError(path, 'the policy is empty');
    return text;
  } catch (error) {
    if (error instanceof BootstrapFileError) throw error;
    throw new BootstrapFileError(path, `the policy cannot be read (${reasonOf(error)})`, error);
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
