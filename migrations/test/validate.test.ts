import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setTable, until } from './support.ts';

const files = {
  '000001_orders.up.sql':
    'create table orders (id bigint generated always as identity primary key, note text);\n',
  '000001_orders.down.sql': 'drop table orders;\n',
  '000002_Drop-note.up.sql': `-- lockstep: allow column-type-changed: it is text already
alter table orders alter column note type text;
alter table orders drop column note;
`,
  '000002_Drop-note.down.sql': 'alter table orders add column note text;\n',
  '4_late.up.sql': 'selec 1;\n',
};

test('every finding has its place, code, reason and remedy; only errors fail, with --strict warnings too', async () => {
  const bench = await setTable(files);
  const wrong = await bench.migrate(['validate']);
  expect(wrong.status).toBe(3);
  expect(wrong.stderr).toBe('');
  const lines = wrong.stdout.replaceAll(bench.folder, 'F');
  for (const line of [
    'F/000002_Drop-note.up.sql:3:1  warning  drop-column',
    '    note of orders is dropped: its values are gone, and the running version of the app may still read it',
    'F/000002_Drop-note.up.sql  notice  naming',
    '    fix: drop_note; rename both files before it is applied anywhere',
    'F/4_late.up.sql:1:1  error  syntax',
    '    syntax error at or near "selec"',
    'F/4_late.up.sql  notice  version-gap',
    'F/4_late.up.sql  warning  padding',
    'F/4_late.up.sql  notice  down-missing',
    'F: 3 migrations, 1 error, 2 warnings, 3 notices',
    '  1 finding allowed by comments',
    '  high risk: run with --approach conservative (000002 Drop-note)',
  ]) {
    expect(lines.split('\n')).toContain(line);
  }
  await bench.remove('4_late.up.sql');
  expect((await bench.migrate(['validate'])).status).toBe(0);
  expect((await bench.migrate(['validate', '--strict'])).status).toBe(3);
  expect((await bench.migrate(['validate', '--report', 'xml'])).status).toBe(2);
});

test('the same as JSON, SARIF and annotations', async () => {
  const bench = await setTable(files);
  const json = JSON.parse((await bench.migrate(['validate', '--format', 'json'])).stdout) as {
    success: boolean;
    migrations: { risk: object }[];
    findings: { code: string }[];
  };
  expect(json.success).toBe(false);
  expect(json.migrations[1]?.risk).toMatchObject({
    level: 'high',
    statements: [
      {
        line: 2,
        locks: [{ table: 'orders', mode: 'ACCESS EXCLUSIVE' }],
        risks: ['rewrites', 'breaks the running app'],
      },
      { line: 3, risks: ['loses data', 'breaks the running app'] },
    ],
  });
  expect(json.findings.find(({ code }) => code === 'column-type-changed')).toMatchObject({
    allowed: 'it is text already',
    docs: 'docs/rules.md#column-type-changed',
  });
  const sarif = JSON.parse((await bench.migrate(['validate', '--report', 'sarif'])).stdout) as {
    runs: { results: { ruleId: string; level: string; suppressions?: object[] }[] }[];
  };
  const results = sarif.runs[0]?.results ?? [];
  expect(results.find(({ ruleId }) => ruleId === 'syntax')?.level).toBe('error');
  expect(results.find(({ ruleId }) => ruleId === 'column-type-changed')?.suppressions).toEqual([
    { kind: 'inSource', justification: 'it is text already' },
  ]);
  const github = (await bench.migrate(['validate', '--report', 'github'])).stdout;
  expect(github).toMatch(
    /^::warning file=\S+000002_Drop-note.up.sql,line=3,col=1,title=drop-column::note of orders is dropped%?/m,
  );
  expect(github).not.toContain('column-type-changed');
});

test('scripts of the layout alphabetical have no pairs, and what their dependencies.json says is looked at elsewhere', async () => {
  const bench = await setTable({ 'a.sql': 'create table a ();\n', 'b.sql': 'drop table a;\n' });
  const ended = await bench.migrate(['validate', '--layout', 'alphabetical']);
  expect(ended.stdout).toMatch(/b.sql:1:1 {2}warning {2}drop-table/);
  expect(ended.stdout).not.toMatch(/down-missing|naming/);
  expect(ended.status).toBe(0);
});

test('dependencies.json and an empty folder are judged as well', async () => {
  const bench = await setTable({
    '1_a.up.sql': 'select 1;\n',
    'dependencies.json': '{ "needs": { "7": ["x@1"] } }',
  });
  expect(await bench.migrate(['validate'])).toMatchObject({
    status: 3,
    stdout: expect.stringMatching(/dependencies.json {2}error {2}file\n {4}there is no migration 7/),
  });
  const empty = await setTable({});
  expect(await empty.migrate(['validate'])).toMatchObject({
    status: 3,
    stdout: expect.stringContaining('no migrations in this folder'),
  });
  expect((await empty.migrate(['validate', '--path', join(empty.folder, 'nowhere')])).status).toBe(2);
});

test('F14 --since judges what is new or changed since a commit, in the light of all files', async () => {
  const bench = await setTable({
    '1_a.up.sql': 'create table a (id bigint primary key, b bigint);\ndrop table old;\n',
    '2_b.up.sql': 'alter table a add constraint b_there check (b is not null);\n',
  });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: bench.folder, stdio: 'pipe' });
  expect((await bench.migrate(['validate', '--since', 'main'])).status).toBe(2);
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@b.example', 'commit', '--quiet', '-m', 'old');
  const since = async (reference: string) => {
    const { status, stdout, stderr } = await bench.migrate(['validate', '--strict', '--since', reference]);
    return { status, text: `${stdout}${stderr}`.replaceAll(bench.folder, 'F') };
  };
  expect(await since('main')).toEqual({
    status: 0,
    text: expect.stringMatching(
      /^F: 0 migrations, 0 errors[\s\S]*only what is new since main: 0 migrations\n$/,
    ),
  });
  await bench.write({ '3_c.up.sql': 'alter table a alter column b set not null;\ndrop table c;\n' });
  const { status, text } = await since('HEAD');
  expect(status).toBe(3);
  expect(text).toContain('F/3_c.up.sql:2:1  warning  drop-table');
  expect(text).not.toMatch(/1_a|not-null-scans/);
  for (const wrong of ['nowhere', '--output=x', '']) {
    expect(await since(wrong)).toEqual({ status: 2, text: expect.stringContaining('migrate: --since') });
  }
});

test('F14 --baseline allows what was there, and no more of it', async () => {
  const bench = await setTable({
    '1_a.up.sql': 'drop table a;\ndrop table b;\n',
    '1_a.down.sql': '-- nothing comes back\n',
  });
  const file = join(bench.folder, 'baseline.json');
  const written = await bench.migrate(['validate', '--strict', '--write-baseline', file]);
  expect(written).toMatchObject({ status: 0, stdout: expect.stringMatching(/2 findings written to /) });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ '1_a.up.sql': { 'drop-table': 2 } });
  const judge = () => bench.migrate(['validate', '--strict', '--baseline', file]);
  expect(await judge()).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('2 findings in the baseline'),
  });
  await bench.write({ '1_a.up.sql': 'drop table a;\n' });
  expect((await judge()).stdout).toContain('1 finding of the baseline gone: write it again');
  await bench.write({ '1_a.up.sql': 'drop table a;\ndrop table b;\ndrop table c;\nselec 1;\n' });
  const worse = await judge();
  expect(worse.status).toBe(3);
  expect(worse.stdout).toMatch(/:3:1 {2}warning {2}drop-table[\s\S]*1 error, 1 warning/);
  await writeFile(file, '{ "1_a.up.sql": { "drop-table": "two" } }');
  expect(await judge()).toMatchObject({ status: 2, stderr: expect.stringContaining('is no baseline') });
  await rm(file);
  expect(await judge()).toMatchObject({ status: 2, stderr: expect.stringContaining('there is no baseline') });
});

test('--watch judges again when a file is saved, and Ctrl-C ends it', async () => {
  const bench = await setTable({ '1_a.up.sql': 'select 1;\n' });
  const running = bench.begin(['validate', '--watch']);
  let printed = '';
  running.child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await until(async () => /0 errors[\s\S]*waiting for changes/.test(printed));
  await writeFile(join(bench.folder, '1_a.up.sql'), 'selec 1;\n');
  await until(async () => /error {2}syntax[\s\S]*waiting for changes/.test(printed));
  running.child.kill('SIGINT');
  expect((await running.ended).status).toBe(3);
});

test('production refuses a run with less care than its risk asks for; elsewhere it is told', async () => {
  const bench = await setTable(files);
  await bench.remove('4_late.up.sql');
  await bench.migrate(['up', '1']);
  const careful = { MIGRATION_APPROACH: 'careful', MIGRATION_BACKUP: 'none', MIGRATION_APPROVAL: 'none' };
  const production = await bench.migrate(['up'], { ...careful, MIGRATION_ENVIRONMENT: 'production' });
  expect(production.status).toBe(3);
  expect(production.stderr).toMatch(
    /risk: high \(000002\): run with --approach conservative: a backup that is full, and this is none; approval by manual, and this is none/,
  );
  const staging = await bench.migrate(['up'], { ...careful, MIGRATION_ENVIRONMENT: 'staging' });
  expect(staging.status, staging.stderr).toBe(0);
  expect(staging.stderr).toMatch(/pre-flight risk +note +high/);
});
