import { expect, test } from 'vitest';
import { setTable, steady } from './support.ts';

test('F9 a password that is a word erases no word, name or file of a failure, and is shown nowhere', async () => {
  const bench = await setTable({
    '000099_postgres_root.up.sql': "select 1;\ncreate role postgres_reader nonsense password 'postgres';",
  });
  const url = new URL(bench.database.ownerUrl);
  await bench.database.query(`alter role "${url.username}" password 'postgres'`);
  url.password = 'postgres';
  const { status, stderr } = await bench.migrate(['up'], {
    DATABASE_CONNECTION_STRING: url.href,
    MIGRATION_SERVICE: 'postgres',
  });
  expect(steady(stderr, bench)).toBe(
    [
      'migrate: postgres 000099_postgres_root.up.sql failed and was rolled back',
      '  ‹folder›/000099_postgres_root.up.sql:2:29  unrecognized role option "nonsense" (42601)',
      "    2 | create role postgres_reader nonsense password '****';",
      '      |                             ^',
      '',
    ].join('\n'),
  );
  expect(status).toBe(1);
});
