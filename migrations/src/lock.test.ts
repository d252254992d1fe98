import { expect, test } from 'vitest';
import { lockKey } from './lock.ts';

// From golang-migrate's formula, computed with Python's zlib: crc32("schema\0table\0database") * 1486364155 mod 2^32.
test.each([
  ['services', 'public', 'schema_migrations', 2_905_102_782n],
  ['content', 'public', 'schema_migrations', 835_276_490n],
  ['dätä "base', 'my.schema', 't', 2_729_315_655n],
])('the lock of %s, %s.%s is golang-migrate’s', (database, schema, table, key) => {
  expect(lockKey(database, schema, table)).toBe(key);
});
