import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { copyProject, type ProjectCopy, project } from '../support/project-copy.ts';
import { type Ended, edit, ended } from '../support/stack.ts';

// A developer's week, in the order of its days, with nothing but make and an editor.

let copy: ProjectCopy;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  copy = await copyProject();
  await symlink(`${project}/node_modules`, copy.path('node_modules'));
  // Older than what npm installed, so that nothing is installed.
  await utimes(copy.path('package-lock.json'), 0, 0);
  environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ENGINE: 'embedded',
    COMPOSE_PROJECT_NAME: `lockstep-week-${randomBytes(4).toString('hex')}`,
  };
  for (const name of ['POSTGRES', 'VAULT', 'SERVICES_API', 'CONTENT_API'])
    environment[`${name}_PORT`] = String(await freePort());
});
afterAll(async () => {
  await make('down');
  await rm(copy.path('node_modules'));
  await copy.remove();
});

/** Runs make on a terminal of its own, answering its question; what it showed has the question and all else. */
function onTerminal(answer: string, ...args: string[]): Promise<Ended> {
  const words = args.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', `make ${words}`, '/dev/null'], {
    cwd: copy.root,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (/\[y\/N\] /.test(shown)) {
      shown = '';
      child.stdin.write(`${answer}\r`);
    }
  });
  return ended(child);
}

function make(...args: string[]): Promise<Ended> {
  return ended(spawn('make', args, { cwd: copy.root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** The same, when it must work. */
async function does(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await make(...args);
  expect(status, `make ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function value(service: string, sql: string): Promise<string> {
  return (await does('psql', `SERVICE=${service}`, `ARGS=-Atc "${sql}"`)).trim();
}

test('Monday: a table, from an idea to a running stack', async () => {
  expect(await does('up')).toMatch(/services-api +healthy/);
  const made = await does(
    'db-generate',
    'NAME=create_reviews',
    'TYPE=table',
    'SERVICE=services-api',
    "ARGS=--on reviews --column 'id:bigint:pk,service_id:uuid:not-null,words:text:not-null'",
  );
  expect(made).toBe(
    'services-api/migrations/000016_create_reviews.up.sql\nservices-api/migrations/000016_create_reviews.down.sql\n',
  );
  expect(await does('db-validate', 'SERVICE=services-api', 'ARGS=--strict')).toMatch(
    /16 migrations, 0 errors, 0 warnings/,
  );
  await does('up');
  expect(await value('services-api', 'select count(*) from reviews')).toBe('0');
});

test('F16.1 a table is named by the name of its migration, and a service is named or listed', async () => {
  const table = await does(
    'db-generate',
    'NAME=create_orders',
    'TYPE=table',
    'SERVICE=services-api',
    'ARGS=--dry-run',
  );
  expect(table).toMatch(/create table orders \(\n {2}id bigint/);
  const none = await make('db-generate', 'NAME=create_orders', 'TYPE=table');
  expect(none.stderr).toMatch(
    /^stack: SERVICE= names the service it is for\n {2}there are: content-api, services-api\nmake: /,
  );
  const other = await make('db-generate', 'NAME=create_orders', 'SERVICE=nope');
  expect(other.stderr).toMatch(
    /^stack: no service with migrations is named "nope"\n {2}there are: content-api, services-api\nmake: /,
  );
  const nameless = await make('db-generate', 'SERVICE=services-api');
  expect(nameless.stderr).toMatch(/^stack: NAME= says what the migration does\n/);
});

test('F16.4 what reverts or deletes says what it will do, and asks', async () => {
  // Nobody can be asked.
  const refused = await make('db-migrate-down');
  expect(refused.stderr).toMatch(
    /^stack: db-migrate-down needs confirmation and there is no terminal: pass YES=1\n {2}db-migrate-down reverts:\n {4}services-api: 1 migration\n {6}16 create_reviews\n {4}content-api: 1 migration\n {6}15 index_accesses\n {6}content-api needs version 15 and is running: it will fail\n {2}nothing was changed\nmake: .* Error 7\n$/,
  );
  const all = await make('db-migrate-down', 'N=99', 'SERVICE=services-api');
  expect(all.stderr).toMatch(/services-api: all 16 migrations; its tables and their rows are deleted/);
  const reset = await make('db-reset');
  expect(reset.stderr).toMatch(
    /^stack: db-reset needs confirmation .*\n {2}db-reset deletes \d+ volumes of lockstep-week-\w+, with all that is in them:\n {4}the databases of services-api and content-api\n[\s\S]*Error 7\n$/,
  );
  for (const target of ['db-recreate', 'db-undo'])
    expect((await make(target, 'SERVICE=services-api')).stderr).toMatch(
      new RegExp(`^stack: ${target} needs confirmation[\\s\\S]*nothing was changed\nmake: .* Error 7\n$`),
    );
  expect(await value('services-api', 'select version from schema_migrations')).toBe('16');
  // A person says no, and then yes.
  const declined = await onTerminal('n', 'db-migrate-down', 'SERVICE=services-api');
  expect(declined.stdout).toMatch(/16 create_reviews\r\n[\s\S]*db-migrate-down was not confirmed\r\n/);
  expect(await value('services-api', 'select version from schema_migrations')).toBe('16');
  const agreed = await onTerminal('y', 'db-migrate-down', 'SERVICE=services-api');
  expect(agreed.stdout).toMatch(/1 migration \S+ ?\S*, from 16 to 15/);
  await does('db-migrate-up', 'SERVICE=services-api');
});

test('F16.4 a down below what a running app needs says so', async () => {
  const { stderr } = await make('db-migrate-down', 'N=2', 'SERVICE=services-api', 'YES=1');
  expect(stderr).toMatch(/^warn: services-api is running and needs version 15; the schema is going to 14$/m);
  await does('db-migrate-up', 'SERVICE=services-api');
});

test('F16.5 no value is run by a shell, and each reaches its program as it was typed', async () => {
  const touched = copy.path('touched');
  const value = `1; touch '${touched}'`;
  for (const words of [
    ['db-migrate-down', `N=${value}`, 'YES=1', 'SERVICE=services-api'],
    ['db-validate', `ARGS=--nothing; touch '${touched}'`],
    ['db-docs', `SERVICE=x; touch '${touched}'`],
    ['db-generate', `NAME=${value}`, 'SERVICE=services-api'],
    ['psql', 'SERVICE=services-api', `ARGS=-c 'select 1'; touch ${touched}`],
  ])
    await make(...words);
  expect(existsSync(touched)).toBe(false);
  expect(await does('psql', 'SERVICE=services-api', 'ARGS=-c \\conninfo')).toMatch(/database "services"/);
  expect(await does('psql', 'SERVICE=services-api', "ARGS=-Atc 'select $$a$$'")).toBe('a\n');
  const outside = await make('db-docs', 'SERVICE=../outside');
  expect(outside.stderr).toMatch(/no service with migrations is named "..\/outside"/);
  expect(existsSync(copy.path('../outside'))).toBe(false);
  // What is exported counts as what is given.
  const two = await ended(
    spawn('make', ['db-migrate-down', 'SERVICE=services-api'], {
      cwd: copy.root,
      env: { ...environment, N: '2' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  expect(two.stderr).toMatch(/services-api: 2 migrations\n/);
});

test('Tuesday: what is wrong is told before it runs, with place, reason and remedy', async () => {
  await does('db-generate', 'NAME=rate_reviews', 'SERVICE=services-api');
  const file = copy.path('services-api/migrations/000017_rate_reviews.up.sql');
  await writeFile(
    file,
    '-- Stars.\nalter table reviews add column stars smallint not null;\ncreate index on reviews (stars;\n',
  );
  const wrong = await make('db-validate', 'SERVICE=services-api');
  expect(wrong.status).not.toBe(0);
  expect(wrong.stdout).toMatch(
    /000017_rate_reviews.up.sql:2:\d+ {2}error {2}required-column\n {4}stars of reviews must not be null and has no default[\s\S]*fix: give it a default/,
  );
  expect(wrong.stdout).toMatch(/000017_rate_reviews.up.sql:3:\d+ {2}error {2}syntax/);
  await writeFile(file, '-- Stars.\nalter table reviews add column stars smallint not null default 3;\n');
  await writeFile(file.replace('.up.', '.down.'), 'alter table reviews drop column stars;\n');
  await does('db-validate', 'SERVICE=services-api');
  expect(await does('db-rehearse', 'SERVICE=services-api', 'ARGS=--rows reviews=1000')).toMatch(
    /line 2 .*alter table reviews add column stars[\s\S]*ACCESS EXCLUSIVE on reviews/,
  );
  await does('db-migrate-up', 'SERVICE=services-api');
  await does('db-verify', 'SERVICE=services-api');
});

test('Wednesday: an applied file is edited; the database is built anew, and the old one kept', async () => {
  await edit(copy.path('services-api/migrations/000017_rate_reviews.up.sql'), (text) =>
    text.replace('default 3', 'default 5'),
  );
  expect(await does('db-migrate-status', 'SERVICE=services-api')).toMatch(/rate_reviews +edited/);
  expect(await does('db-migrate-up', 'SERVICE=services-api')).toMatch(
    /was recreated[\s\S]*make db-undo SERVICE=services-api brings it back/,
  );
  expect(
    await value(
      'services-api',
      "select column_default from information_schema.columns where table_name = 'reviews' and column_name = 'stars'",
    ),
  ).toBe('5');
});

test('Thursday: a branch with a lower number is merged', async () => {
  // Two branches began after 000017; this one took 000019 and is applied, the other comes with 000018.
  const write = async (name: string, up: string, down: string) => {
    await writeFile(copy.path(`services-api/migrations/${name}.up.sql`), up);
    await writeFile(copy.path(`services-api/migrations/${name}.down.sql`), down);
  };
  await write(
    '000019_sign_reviews',
    'alter table reviews add column author text;\n',
    'alter table reviews drop column author;\n',
  );
  expect(await does('db-validate', 'SERVICE=services-api')).toMatch(
    /000019_sign_reviews.up.sql {2}notice {2}version-gap/,
  );
  await does('db-migrate-up', 'SERVICE=services-api');
  await write(
    '000018_date_reviews',
    'alter table reviews add column at timestamptz;\n',
    'alter table reviews drop column at;\n',
  );
  expect(await does('db-migrate-status', 'SERVICE=services-api')).toMatch(/date_reviews +out of order/);
  expect(await does('up')).toMatch(/services-api +healthy/);
  expect(await value('services-api', 'select count(*) from schema_migrations_history')).toBe('19');
});

test('Thursday evening: another service needs it', async () => {
  await does(
    'db-generate',
    'NAME=link_reviews',
    'TYPE=table',
    'SERVICE=content-api',
    'ARGS=--on review_links --needs services-api@000019',
  );
  const lonely = await make('db-deps');
  expect(lonely.stderr).toMatch(
    /content-api@16 needs services-api@19: services-api has no dependencies.json/,
  );
  const file = copy.path('services-api/migrations/dependencies.json');
  await writeFile(file, '{ "needs": { "000001": ["content-api@000016"] } }\n');
  const cycle = await make('db-deps');
  expect(cycle.stderr).toMatch(/a cycle: content-api@16 needs services-api@1 needs content-api@16/);
  await writeFile(file, '{ "needs": {} }\n');
  expect(await does('db-deps')).toMatch(
    /content-api 1 to 15\n.*services-api 1 to 19\n.*content-api 16\n {2}content-api 000016 link_reviews needs services-api 000019 sign_reviews/,
  );
  // services-api has published nothing yet: the two go up together, and one waits for the other.
  await does('db-migrate-up');
  expect(await value('content-api', 'select count(*) from review_links')).toBe('0');
});

test('Friday: rows to play with, a page to read, and a step back', async () => {
  expect(await does('db-seed')).toMatch(/10_service_categories.csv +3 inserted/);
  expect(await does('db-seed', 'FORMAT=text')).toMatch(
    /10_service_categories.csv +0 inserted, 0 updated, 3 unchanged/,
  );
  await does('db-docs', 'SERVICE=services-api');
  const page = await readFile(copy.path('services-api/migrations/docs/schema.md'), 'utf8');
  expect(page).toMatch(/^## reviews$/m);
  expect(page).toMatch(/^### 000017 rate\\_reviews\n\nStars\.$/m);
  // The other service still needs the last migration.
  const refused = await make('db-migrate-down', 'SERVICE=services-api', 'YES=1');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toMatch(/content-api \(database content\) needs services-api@19/);
  await does('db-migrate-down', 'SERVICE=content-api', 'YES=1');
  expect(await does('db-migrate-down', 'SERVICE=services-api', 'YES=1')).toMatch(
    /1 migration taken back, from 19 to 18/,
  );
  await does('db-migrate-up');
  // A reset leaves nothing; the next start seeds by itself where that is asked for.
  await does('db-reset', 'YES=1');
  expect(await value('services-api', 'select count(*) from services')).toBe('0');
  await does('up', 'SEED=1');
  expect(await value('services-api', 'select count(*) from services')).toBe('2');
});
