import { redact } from '@lockstep/foundation';
import { readSecret, type SecretAccess, writeEntry } from '@lockstep/vault';
import { describe, expect, it } from 'vitest';
import { openAsRoot, secretValue, seed, startVault, within } from './support/vault.ts';

describe('readSecret', () => {
  it('logs in with credentials from files and returns the text, which is masked from then on', async () => {
    const vault = await startVault();
    const { access, secretId } = await seed(vault);
    expect(await readSecret(access, within(2_000))).toBe(secretValue);
    expect(redact(`x ${secretValue} y ${secretId}`)).toBe('x **** y ****');
  });

  it('takes a token instead', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const credentials = { kind: 'token', token: vault.rootToken } as const;
    expect(await readSecret({ ...access, credentials }, within(2_000))).toBe(secretValue);
  });

  it.each(['a^b%c&d{e@f/g h', 'ключ', 'a b', 'x?y#z', '50%25'])(
    'reads an entry and a key named %s',
    async (name) => {
      const vault = await startVault();
      const path = `secret/data/${encodeURIComponent(name).includes('%2F') ? 'slash/' : ''}${name}`;
      await writeEntry(await openAsRoot(vault), path, { [name]: 'found' });
      const access: SecretAccess = {
        address: vault.address,
        credentials: { kind: 'token', token: vault.rootToken },
        path,
        key: name,
      };
      expect(await readSecret(access, within(2_000))).toBe('found');
    },
  );

  it('ignores VAULT_TOKEN, VAULT_NAMESPACE and HTTP_PROXY of the environment', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const before = { ...process.env };
    Object.assign(process.env, {
      VAULT_TOKEN: 'wrong',
      VAULT_NAMESPACE: 'elsewhere',
      VAULT_PREFIX: '/x',
      HTTP_PROXY: 'http://127.0.0.1:1',
      http_proxy: 'http://127.0.0.1:1',
    });
    try {
      expect(await readSecret(access, within(2_000))).toBe(secretValue);
    } finally {
      process.env = before;
    }
  });
});
