import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSecret, type SecretAccess } from '@lockstep/vault';
import { describe, expect, it } from 'vitest';
import { failureOf, scratchFolder, secretValue, seed, startVault, textOf, within } from './support/vault.ts';

describe('credentials files', () => {
  it.each<[string, (file: string) => Promise<void>, string]>([
    ['of 50 MB', (file) => writeFile(file, Buffer.alloc(50 * 1024 * 1024, 'x')), 'is larger than 64 kB'],
    ['with a NUL', (file) => writeFile(file, 'abc\0def'), 'holds a NUL byte'],
    ['of two lines', (file) => writeFile(file, 'abc\ndef\n'), 'holds more than one line'],
    [
      'with blanks',
      (file) => writeFile(file, 'abc def'),
      'holds characters that no credential has (blank, control or non-ASCII)',
    ],
  ])('refuses one %s, at once', async (_title, spoil, problem) => {
    const vault = await startVault();
    const { access, secretIdFile } = await seed(vault);
    await spoil(secretIdFile);
    const startedAt = performance.now();
    const error = await failureOf(readSecret(access, within(10_000)));
    expect(error).toMatchObject({
      code: 'vault-credentials-file',
      exitStatus: 3,
      message: `credentials file ${JSON.stringify(secretIdFile)} ${problem}`,
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it.each<[string, (file: string) => Promise<void>, string]>([
    ['missing', (file) => rm(file), 'does not exist'],
    ['empty', (file) => writeFile(file, ' \r\n'), 'is empty'],
  ])('gives one that is %s two seconds to be written', async (_title, spoil, problem) => {
    const vault = await startVault();
    const { access, secretId, secretIdFile } = await seed(vault);
    await spoil(secretIdFile);
    expect(await textOf(readSecret(access, within(600)))).toBe(
      `migrate: credentials file ${JSON.stringify(secretIdFile)} ${problem}\n` +
        '  tried N times in S s\n' +
        '  try: make up, whose bootstrap writes the credentials files\n',
    );
    setTimeout(() => void writeFile(secretIdFile, secretId), 300);
    expect(await readSecret(access, within(5_000))).toBe(secretValue);
  });

  it('refuses a folder and a device without end', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const folder = await scratchFolder();
    const withFile = (secretIdFile: string): SecretAccess => ({
      ...access,
      credentials: { kind: 'approle', roleIdFile: join(folder, 'none'), secretIdFile },
    });
    expect(
      await textOf(
        readSecret(
          { ...withFile(folder), credentials: { kind: 'approle', roleIdFile: folder, secretIdFile: folder } },
          within(500),
        ),
      ),
    ).toBe(`migrate: credentials file ${JSON.stringify(folder)} is not a regular file\n`);
    const endless = { kind: 'approle', roleIdFile: '/dev/zero', secretIdFile: '/dev/zero' } as const;
    expect(await textOf(readSecret({ ...access, credentials: endless }, within(500)))).toBe(
      'migrate: credentials file "/dev/zero" is not a regular file\n',
    );
  });

  it('accepts a byte-order mark and white space around the credential', async () => {
    const vault = await startVault();
    const { access, secretId, secretIdFile } = await seed(vault);
    await writeFile(secretIdFile, `\uFEFF  ${secretId}\r\n\r\n`);
    expect(await readSecret(access, within(2_000))).toBe(secretValue);
  });
});
