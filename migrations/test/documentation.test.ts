import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { setTable } from './support.ts';

const everything = {
  '1_all.up.sql': `-- Everything a schema can have,
-- in one file.

create type mood as enum ('good', 'it''s | bad');
create domain amount as numeric(10, 2) check (value >= 0);
create type pair as (a int, b text);
create table people (
  id bigint generated always as identity primary key,
  email text not null unique,
  mood mood not null default 'good',
  boss_id bigint references people (id),
  doubled bigint generated always as (1 * 2) stored,
  "odd | name\`x" text,
  during tstzrange,
  exclude using gist (during with &&)
);
comment on table people is 'Who | is <b>here</b>
and \`there\`';
comment on column people.email is '*unique*';
create table orders (person_id bigint not null references people, line int, total amount, primary key (person_id, line));
create table details (person_id bigint, line int, unique (person_id, line), foreign key (person_id, line) references orders);
create table events (at timestamptz not null, what text) partition by range (at);
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
create table older () inherits (orders);
create view busy as select person_id, count(*) as orders from orders group by person_id;
create materialized view totals as select sum(total) as total from orders;
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger orders_touch before update on orders for each row when (old.* is distinct from new.*) execute function touch();
create index orders_by_total on orders (total desc) where total > 0;
`,
  '1_all.down.sql': '-- Everything stays.\n',
};

describe.each(postgresServers())('on $name', (server) => {
  test.each(['services-api', 'content-api'])('the page of %s is current', async (service) => {
    const bench = await setTable({}, server);
    const ended = await bench.migrate(['docs', '--check'], {
      MIGRATIONS_PATH: `${service}/migrations`,
      MIGRATION_SERVICE: service,
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stdout).toBe(`${service}/migrations/docs/schema.md is current\n`);
  });

  test('a page shows everything, and no name or comment is markup', async () => {
    const bench = await setTable(everything, server);
    const { stdout, status, stderr } = await bench.migrate(['docs', '--out', '-']);
    expect(status, stderr).toBe(0);
    for (const line of [
      'Table. Who \\| is &lt;b&gt;here&lt;/b&gt; and \\`there\\`',
      '| `email` | `text` | no |  | \\*unique\\* |',
      '| ``"odd \\| name`x"`` | `text` | yes |  |  |',
      '| `doubled` | `bigint` | yes | `generated: (1 * 2)` |  |',
      "| `mood` | `mood` | no | `'good'::mood` |  |",
      'Referred to by `details`.',
      '  people |o--o{ people : "boss_id"',
      '  people ||--o{ orders : "person_id"',
      '  orders |o--o| details : "person_id, line"',
      '    bigint id PK',
      '    text email UK',
      '    text _odd_name_x_',
      "| `mood` | `enum: 'good', 'it''s \\| bad'` |  |",
      '| `pair` | `composite: a integer, b text` |  |',
      '| `touch() returns trigger` |  |',
      '| `orders_by_total` | `btree (total DESC) WHERE ((total)::numeric > (0)::numeric)` |',
      '## totals',
      'Materialized view.',
      'Partitioned table.',
      '### 1 all',
      'Everything a schema can have, in one file.',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
    // The same on every server, and however often.
    const again = await bench.migrate(['docs', '--out', '-']);
    expect(again.stdout).toBe(stdout);
    pages.add(stdout.replace(/^# .*$/m, ''));
  });
});
const pages = new Set<string>();

test('every server made the same page', () => {
  expect(pages.size).toBe(1);
});

test('--check says what differs, and a page that is current is not written again', async () => {
  const bench = await setTable({ '1_a.up.sql': 'create table a (x int);\n' });
  expect(await bench.migrate(['docs', '--check'])).toMatchObject({
    status: 6,
    stderr: expect.stringMatching(/docs\/schema.md is not current\n {2}there is no such file/),
  });
  expect((await bench.migrate(['docs'])).stdout).toMatch(/docs\/schema.md is written\n$/);
  expect((await bench.migrate(['docs'])).stdout).toMatch(/was current\n$/);
  await bench.write({ '2_b.up.sql': 'create table b (y int);\n' });
  const stale = await bench.migrate(['docs', '--check']);
  expect(stale.status).toBe(6);
  expect(stale.stderr).toMatch(/from line 3 on:\n {2}- Generated.* 1 relation, 1 migration\./);
  const durations = await bench.migrate(['docs', '--durations', '--out', '-']);
  expect(durations.stdout).not.toMatch(/took/);
  await bench.migrate(['up']);
  expect((await bench.migrate(['docs', '--durations', '--out', '-'])).stdout).toMatch(/took \d+ ms/);
  expect(JSON.parse((await bench.migrate(['docs', '--out', '-', '--format', 'json'])).stdout)).toMatchObject({
    relations: [{ name: 'a' }, { name: 'b' }],
    migrations: [{ risk: 'medium', reversible: false }, {}],
  });
});

test('a page that cannot be written says why', async () => {
  const bench = await setTable({ '1_a.up.sql': 'create table a (x int);\n' });
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-docs-'));
  await writeFile(join(folder, 'file'), '');
  for (const out of [join(folder, 'file', 'x.md'), join(folder, 'no', 'such', 'x.md'), folder]) {
    expect(await bench.migrate(['docs', '--out', out])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/cannot be (written|read)/),
    });
  }
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('');
  await rm(folder, { recursive: true });
  expect((await bench.migrate(['docs', '--check', '--durations'])).status).toBe(2);
});
