import { type Client, escapeIdentifier } from 'pg';
import type { Service } from './service.ts';

/** Databases that are everybody's by default. */
const everybodys = ['postgres', 'template1'];

/**
 * Takes from everybody the right to connect to `postgres` and `template1`, so that an app's role reaches its own database alone.
 * Whoever else may log in keeps it by a grant of their own: a migrator renames its database from `postgres`.
 *
 * @returns whether anything was changed
 */
export async function closeMaintenance(client: Client, services: readonly Service[]): Promise<boolean> {
  const apps = services.map(({ app }) => app.user);
  const migrators = services.map(({ migrator }) => migrator.user);
  const { rows } = await client.query<{ database: string; open: boolean; role: string | null }>(lacking, [
    everybodys,
    apps,
    migrators,
  ]);
  const texts = rows.map(({ database, role }) =>
    role === null
      ? `revoke connect on database ${escapeIdentifier(database)} from public`
      : `grant connect on database ${escapeIdentifier(database)} to ${escapeIdentifier(role)}`,
  );
  // One after the other, those who stay first: at no moment is somebody without it.
  for (const text of texts) await client.query(text);
  return texts.length > 0;
}

/**
 * What is to be granted and revoked, in that order: to each role that has it through PUBLIC only, for as long as PUBLIC has it; to
 * the migrators ($3) in any case; never to the apps ($2) of this stack.
 */
const lacking = `
  with entries as (
    select d.oid, d.datname, a.grantee from pg_database d
      left join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a on a.privilege_type = 'CONNECT'
    where d.datname = any ($1))
  select e.datname as database, r.rolname as role
    from (select oid, datname, bool_or(grantee = 0) as open from entries group by oid, datname) e, pg_roles r
    where r.rolcanlogin and not r.rolsuper and r.rolname <> all ($2)
      and (e.open or (e.datname = 'postgres' and r.rolname = any ($3)))
      and not exists (select from entries own where own.oid = e.oid and own.grantee = r.oid)
  union all select distinct datname, null::name from entries where grantee = 0
  order by role nulls last`;
