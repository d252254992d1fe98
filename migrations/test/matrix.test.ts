import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { type Files, onTerminal, setTable } from './support.ts';

const files: Files = {
  ...Object.fromEntries(
    [1, 2, 3].flatMap((n) => [
      [`${n}_t${n}.up.sql`, `create table t${n} (id int);\n`],
      [`${n}_t${n}.down.sql`, `drop table t${n};\n`],
    ]),
  ),
};

const strategies = [
  ['aggressive', 'development'],
  ['careful', 'staging'],
  ['conservative', 'production'],
] as const;

/** Status, and the version after it, for each strategy: aggressive, careful, conservative. The database is at 2 before. */
interface Expected {
  readonly alone: readonly [number, number, number];
  /** On a terminal, where `yes` is typed when it asks. */
  readonly typed: readonly [number, number, number];
  /** The version that a run with status 0 leaves. */
  readonly to: number;
}

const looks = { alone: [0, 0, 0], typed: [0, 0, 0], to: 2 } as const;
/** Careful wants yes typed; conservative a plan that was signed off, which no terminal stands for. */
const steps = (to: number) => ({ alone: [0, 7, 7], typed: [0, 0, 7], to }) as const;

const commands: Readonly<Record<string, Expected>> = {
  version: looks,
  status: looks,
  history: looks,
  plan: looks,
  'plan --out PLAN': looks,
  validate: looks,
  verify: looks,
  'verify --rollbacks': looks,
  'check --at-least 2': looks,
  'check --at-least 3': { alone: [3, 3, 3], typed: [3, 3, 3], to: 2 },
  resolve: looks,
  'backup --unverified': looks,
  'backup --list': looks,
  'completion bash': looks,
  'create x --dry-run': looks,
  deps: looks,
  'docs --out -': looks,
  rehearse: looks,
  // Not at the version of the files; production is not seeded at all.
  seed: { alone: [0, 0, 7], typed: [0, 0, 7], to: 2 },
  'up --dry-run': looks,
  'down --dry-run': looks,
  'baseline 2': { alone: [6, 6, 6], typed: [6, 6, 6], to: 2 },
  up: steps(3),
  'up 1': steps(3),
  down: steps(1),
  'goto 1': steps(1),
  'rollback 1': steps(1),
  'force 3': { alone: [7, 7, 7], typed: [0, 0, 0], to: 3 },
  'restore latest': { alone: [7, 7, 7], typed: [0, 0, 0], to: 2 },
  'recreate --dry-run': { alone: [0, 3, 3], typed: [0, 3, 3], to: 2 },
  recreate: { alone: [0, 3, 3], typed: [0, 3, 3], to: 3 },
  'undo --dry-run': { alone: [0, 3, 3], typed: [0, 3, 3], to: 2 },
  undo: { alone: [0, 3, 3], typed: [0, 3, 3], to: 2 },
};

const [server] = postgresServers().filter(({ client }) => client !== undefined);

test.skipIf(server === undefined).each(strategies)(
  'every command under %s ends as the table says, with and without a terminal',
  { timeout: 600_000 },
  async (approach, environment) => {
    const column = strategies.findIndex(([name]) => name === approach);
    const bench = await setTable(files, server);
    const settings = {
      MIGRATION_ENVIRONMENT: environment,
      MIGRATION_BACKUP_FOLDER: join(bench.folder, 'backups'),
      MIGRATION_PG_BIN: server?.client,
    };
    const version = async () => Number(await bench.value('select version::int from schema_migrations'));
    expect((await bench.migrate(['up', '2'])).status).toBe(0);
    const wrong: string[] = [];
    for (const [command, expected] of Object.entries(commands)) {
      for (const way of ['alone', 'typed'] as const) {
        const line = command.replace('PLAN', join(bench.folder, 'plan.json'));
        const ended =
          way === 'alone'
            ? await bench.migrate(line.split(' '), settings)
            : await onTerminal(bench, line, 'yes\n', settings);
        const wanted = expected[way][column];
        const at = await version();
        const should = wanted === 0 ? expected.to : 2;
        if (ended.status !== wanted || at !== should) {
          const said = 'stderr' in ended ? ended.stderr : ended.shown;
          wrong.push(
            `${command}, ${way}: status ${ended.status}, at ${at}; expected ${wanted}, at ${should}\n${said}`,
          );
        }
        // What recreate kept is for undo to bring back.
        if (at === 2 || command === 'recreate') continue;
        if (command.startsWith('force')) await bench.migrate(['force', '2', '--yes']);
        else await bench.migrate(['goto', '2']);
      }
      if (command === 'recreate' && column === 0) await bench.migrate(['down', '1']);
    }
    expect(wrong).toEqual([]);
    expect(
      await bench.value(
        `select string_agg(tablename, ' ' order by 1) from pg_tables where tablename ~ '^t[0-9]'`,
      ),
    ).toBe('t1 t2');
  },
);

test.skipIf(server === undefined)('the table has every command', async () => {
  const bench = await setTable(files);
  const { stdout } = await bench.migrate(['--help']);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[options\])?(?: [<[]\w+[>\]])? {2,}/gm)].map(
    ([, name]) => name,
  );
  const known = new Set(Object.keys(commands).map((line) => line.split(' ')[0]));
  expect(listed.length).toBeGreaterThan(15);
  expect(listed.filter((name) => !known.has(name))).toEqual([]);
});
