import { Client, Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { checkReceipt } from '../src/gate.ts';
import { setTable } from './support.ts';

const files = { '1_one.up.sql': 'select 1;', '2_two.up.sql': 'select 1;' };

/** What the gate says to an app that was built for `requiredVersion`. */
async function gate(appUrl: string, requiredVersion: bigint, table?: string): Promise<unknown> {
  const client = new Client({ connectionString: appUrl });
  await client.connect();
  try {
    return await checkReceipt(client, {
      service: 'shop',
      requiredVersion,
      ...(table === undefined ? {} : { table }),
    });
  } catch (error) {
    const { code, message, hint, exitStatus } = error as Record<string, unknown>;
    return { code, message, hint, exitStatus };
  } finally {
    await client.end();
  }
}

describe.each(postgresServers())('on $name', (server) => {
  test('an app passes on a schema at least as new as it needs', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    expect(await gate(bench.database.appUrl, 2n)).toEqual({ version: 2n });
    expect(await gate(bench.database.appUrl, 1n)).toEqual({ version: 2n });
    const pool = new Pool({ connectionString: bench.database.appUrl });
    expect(
      await checkReceipt(pool, { service: 'shop', requiredVersion: 2n, table: 'public.schema_migrations' }),
    ).toEqual({
      version: 2n,
    });
    await pool.end();
  });

  test('a schema that is absent, empty, older, dirty or closed stops it, and says what to run', async () => {
    const bench = await setTable(files, server);
    const { appUrl, ownerUrl } = bench.database;
    const up = { hint: 'make db-migrate-up SERVICE=shop', exitStatus: 3 };
    expect(await gate(appUrl, 1n)).toEqual({
      code: 'schema-absent',
      message: 'shop was never migrated: there is no schema_migrations',
      ...up,
    });
    await bench.migrate(['up']);
    expect(await gate(appUrl, 3n)).toEqual({
      code: 'schema-older',
      message: 'the schema of shop is at 2 and the app needs 3',
      ...up,
    });
    await once(ownerUrl, 'update schema_migrations set dirty = true');
    expect(await gate(appUrl, 1n)).toEqual({
      code: 'schema-dirty',
      message: 'the schema of shop is dirty at 2: a migration began and did not finish',
      hint: 'make db-migrate-status SERVICE=shop',
      exitStatus: 3,
    });
    await once(ownerUrl, 'truncate schema_migrations');
    expect(await gate(appUrl, 1n)).toEqual({
      code: 'schema-absent',
      message: 'shop was never migrated: schema_migrations is empty',
      ...up,
    });
    await once(ownerUrl, `revoke all on schema_migrations from ${bench.database.app}`);
    expect(await gate(appUrl, 1n)).toEqual({
      code: 'schema-unreadable',
      message: 'schema_migrations cannot be read: permission denied for table schema_migrations',
      ...up,
    });
    expect(await gate(appUrl, 1n, 'elsewhere.receipts')).toMatchObject({ code: 'schema-absent' });
  });

  test.each([
    ['(2, false), (3, true)', 'bigint', 'boolean', 'it has several rows, and a receipt is one'],
    ["('two', false)", 'text', 'boolean', 'its row is not a number and a truth value'],
    ["(2, 'false')", 'bigint', 'text', 'its row is not a number and a truth value'],
    ['(null, false)', 'bigint', 'boolean', 'its row is not a number and a truth value'],
  ])('a table that is no receipt stops it and the migrator: %s', async (rows, version, dirty, reason) => {
    const bench = await setTable(files, server);
    await once(
      bench.database.ownerUrl,
      `create table schema_migrations (version ${version}, dirty ${dirty}); insert into schema_migrations values ${rows}`,
    );
    expect(await gate(bench.database.appUrl, 1n)).toEqual({
      code: 'schema-unreadable',
      message: `schema_migrations is no receipt: ${reason}`,
      hint: 'make db-migrate-up SERVICE=shop',
      exitStatus: 3,
    });
    const { status, stderr } = await bench.migrate(['up']);
    expect(stderr).toContain('migrate: the table "public"."schema_migrations" cannot hold the history: ');
    expect(status).toBe(3);
  });
});
