import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requiredSchemaVersion } from './schema-version.ts';

test('the code requires the newest migration there is', () => {
  const files = readdirSync(join(import.meta.dirname, '..', 'migrations')).filter((file) =>
    file.endsWith('.up.sql'),
  );
  const newest = files.sort().at(-1) ?? '';
  expect(requiredSchemaVersion).toBe(BigInt(Number.parseInt(newest, 10)));
});
