import { describe, expect, test } from 'vitest';
import { IrreversibleError } from './file-errors.ts';
import type { Migration } from './migration.ts';
import {
  type AppliedMigration,
  computePlan,
  describeStates,
  type History,
  type Plan,
  type Target,
} from './plan.ts';
import { toSqlFile } from './sql-file.ts';
import { parseStatements } from './statements.ts';

const latest: Target = { kind: 'latest' };
const up = (steps: number): Target => ({ kind: 'up', steps });
const down = (steps: number): Target => ({ kind: 'down', steps });

function sqlFile(path: string, text: string) {
  return toSqlFile(path, text, parseStatements(text));
}

function migration(version: number, { irreversible = false } = {}): Migration {
  const label = String(version).padStart(6, '0');
  const description = `m${version}`;
  const stem = `sql/${label}_${description}`;
  return {
    version: BigInt(version),
    label,
    description,
    up: sqlFile(`${stem}.up.sql`, `select ${version}`),
    down: irreversible ? undefined : sqlFile(`${stem}.down.sql`, `select -${version}`),
  };
}

const files = (...versions: number[]) => versions.map((version) => migration(version));

function row(version: number, change: Partial<AppliedMigration> = {}): AppliedMigration {
  const { description, up: file } = migration(version);
  return {
    version: BigInt(version),
    description,
    checksum: file.checksum,
    downSql: undefined,
    appliedAt: new Date(version),
    durationMilliseconds: version,
    ...change,
  };
}

const rows = (...versions: number[]) => versions.map((version) => row(version));

/** golang-migrate's row holds `current`; ours are `applied`. */
function history(
  current: number | undefined,
  applied: readonly AppliedMigration[] = [],
  dirty = false,
): History {
  return { current: current === undefined ? undefined : { version: BigInt(current), dirty }, applied };
}

/** Each step as `up 3 → 4`, where 4 is the version afterwards. */
const steps = (plan: Plan) =>
  plan.steps.map(({ direction, version, resultVersion }) => `${direction} ${version} → ${resultVersion}`);

/** Each anomaly as `edited 3`. */
const anomalies = (plan: Plan) =>
  plan.anomalies.map((anomaly) => {
    return `${anomaly.kind} ${'migration' in anomaly ? anomaly.migration.version : anomaly.version}`;
  });

const states = (migrations: readonly Migration[], past: History) =>
  describeStates(migrations, past).map(({ label, state }) => `${label} ${state}`);

describe('up', () => {
  test('applies every file to a database without history', () => {
    const plan = computePlan(files(1, 2, 3), history(undefined), latest);
    expect(steps(plan)).toEqual(['up 1 → 1', 'up 2 → 2', 'up 3 → 3']);
    expect(plan).toMatchObject({ anomalies: [], adopted: [], from: undefined, to: 3n });
    expect(plan.steps[0]).toEqual({
      direction: 'up',
      version: 1n,
      label: '000001',
      description: 'm1',
      file: migration(1).up,
      resultVersion: 1n,
    });
  });

  test('applies only what is pending', () => {
    const plan = computePlan(files(1, 2, 3), history(2, rows(1, 2)), latest);
    expect(steps(plan)).toEqual(['up 3 → 3']);
    expect(plan).toMatchObject({ anomalies: [], from: 2n, to: 3n });
  });

  test('does nothing when all is applied', () => {
    const plan = computePlan(files(1, 2), history(2, rows(1, 2)), latest);
    expect(plan).toEqual({ steps: [], anomalies: [], adopted: [], from: 2n, to: 2n });
  });

  test.each([
    [0, []],
    [-1, []],
    [1, ['up 2 → 2']],
    [2, ['up 2 → 2', 'up 3 → 3']],
    [9, ['up 2 → 2', 'up 3 → 3']],
  ])('by %i steps is %j', (wanted, expected) => {
    expect(steps(computePlan(files(1, 2, 3), history(1, rows(1)), up(wanted)))).toEqual(expected);
  });

  test('knows versions up to the highest bigint, and version 0', () => {
    const highest = { ...migration(2), version: 9_223_372_036_854_775_807n, label: '9223372036854775807' };
    const plan = computePlan([migration(0), highest], history(0, rows(0)), latest);
    expect(steps(plan)).toEqual(['up 9223372036854775807 → 9223372036854775807']);
    expect(plan.from).toBe(0n);
  });

  test('without a file there is nothing to do', () => {
    const plan = computePlan([], history(undefined), latest);
    expect(plan).toEqual({ steps: [], anomalies: [], adopted: [], from: undefined, to: undefined });
  });
});

describe('down', () => {
  test.each([
    [0, [], 3n],
    [1, ['down 3 → 2'], 2n],
    [2, ['down 3 → 2', 'down 2 → 1'], 1n],
    [3, ['down 3 → 2', 'down 2 → 1', 'down 1 → -1'], undefined],
    [9, ['down 3 → 2', 'down 2 → 1', 'down 1 → -1'], undefined],
  ])('by %i steps is %j', (wanted, expected, to) => {
    const plan = computePlan(files(1, 2, 3, 4), history(3, rows(1, 2, 3)), down(wanted));
    expect(steps(plan)).toEqual(expected);
    expect(plan).toMatchObject({ from: 3n, to, anomalies: [] });
  });

  test('runs the down file', () => {
    const [step] = computePlan(files(1), history(1, [row(1, { downSql: 'select 9' })]), down(1)).steps;
    expect(step?.file).toEqual(migration(1).down);
  });

  test('runs the SQL of the history when the down file is gone', () => {
    const past = history(1, [row(1, { downSql: 'begin;\nselect 9;\ncommit' })]);
    const [step] = computePlan([migration(1, { irreversible: true })], past, down(1)).steps;
    expect(step?.file).toMatchObject({
      path: 'history of 000001_m1 (down)',
      name: 'history of 000001_m1 (down)',
      statements: [{ text: 'select 9', offset: 7 }],
    });
  });

  test('runs the SQL of the history when both files are gone, and reports the migration as missing', () => {
    const plan = computePlan(files(1), history(2, [row(1), row(2, { downSql: 'select 9' })]), down(1));
    expect(steps(plan)).toEqual(['down 2 → 1']);
    expect(plan.steps[0]).toMatchObject({ label: '000002', description: 'm2' });
    expect(anomalies(plan)).toEqual(['missing 2']);
  });

  test('is refused before anything runs when one of its steps has no SQL', () => {
    const migrations = [migration(1), migration(2, { irreversible: true }), migration(3)];
    expect(steps(computePlan(migrations, history(3, rows(1, 2, 3)), down(1)))).toEqual(['down 3 → 2']);
    const failure = thrown(() => computePlan(migrations, history(3, rows(1, 2, 3)), down(2)));
    expect(failure).toBeInstanceOf(IrreversibleError);
    expect(failure).toMatchObject({
      message: '000002_m2 cannot go down: it has no down file, and the history holds no down SQL for it',
      exitStatus: 3,
      version: 2n,
      hint: 'add 000002_m2.down.sql',
    });
  });

  test('is refused when the SQL of the history is wrong', () => {
    const past = history(7, [row(7, { downSql: "select 'a" })]);
    expect(thrown(() => computePlan([], past, down(1)))).toMatchObject({
      message:
        '000007_m7 cannot go down: it has no down file, and the down SQL in the history is wrong: the quoted string is never closed',
    });
  });

  test('reports what is wrong with the migrations it touches, and no other', () => {
    const past = history(4, [row(1, { checksum: 'x' }), row(2), row(4, { checksum: 'x' })]);
    expect(anomalies(computePlan(files(1, 2, 3, 4), past, down(1)))).toEqual(['edited 4']);
    expect(anomalies(computePlan(files(1, 2, 3, 4), past, latest))).toEqual([
      'edited 1',
      'out of order 3',
      'edited 4',
    ]);
  });
});

describe('anomalies', () => {
  test('an applied file whose checksum changed is edited', () => {
    const plan = computePlan(files(1, 2), history(1, [row(1, { checksum: 'old' })]), latest);
    expect(plan.anomalies).toEqual([{ kind: 'edited', migration: migration(1), appliedChecksum: 'old' }]);
    expect(steps(plan)).toEqual(['up 2 → 2']);
  });

  test('a row without its file is missing', () => {
    const plan = computePlan(files(1, 3), history(2, rows(1, 2)), latest);
    expect(plan.anomalies).toEqual([{ kind: 'missing', version: 2n, description: 'm2' }]);
    expect(steps(plan)).toEqual(['up 3 → 3']);
  });

  test('a file below an applied version is out of order, and its step leaves the version where it is', () => {
    const plan = computePlan(files(1, 2, 3, 4), history(3, rows(1, 3)), latest);
    expect(plan.anomalies).toEqual([{ kind: 'out of order', migration: migration(2), appliedAfter: 3n }]);
    expect(steps(plan)).toEqual(['up 2 → 3', 'up 4 → 4']);
    expect(plan.to).toBe(4n);
  });

  test('a file that is out of order comes first when steps are counted', () => {
    const plan = computePlan(files(1, 2, 3, 4), history(3, rows(1, 3)), up(1));
    expect(steps(plan)).toEqual(['up 2 → 3']);
    expect(plan).toMatchObject({ from: 3n, to: 3n });
  });

  test('a dirty version is reported, and is pending rather than applied', () => {
    const plan = computePlan(files(1, 2, 3), history(2, rows(1), true), latest);
    expect(plan.anomalies).toEqual([{ kind: 'dirty', version: 2n }]);
    expect(steps(plan)).toEqual(['up 2 → 2', 'up 3 → 3']);
    expect(plan.from).toBe(2n);
  });

  test('a dirty version without a file is dirty and not missing', () => {
    const plan = computePlan(files(1), history(2, rows(1), true), latest);
    expect(anomalies(plan)).toEqual(['dirty 2']);
    expect(plan).toMatchObject({ steps: [], from: 2n, to: 2n });
  });

  test('a dirty version makes no lower file out of order', () => {
    expect(anomalies(computePlan(files(1, 2, 3), history(3, rows(1, 2), true), latest))).toEqual(['dirty 3']);
    expect(anomalies(computePlan(files(1, 2, 3), history(3, rows(1, 3), true), latest))).toEqual(['dirty 3']);
    expect(states(files(1, 2, 3), history(3, rows(1, 3), true))).toEqual([
      '000001 applied',
      '000002 pending',
      '000003 dirty',
    ]);
  });

  test('dirty at none, as golang-migrate leaves a first down step that failed, has nothing applied', () => {
    const plan = computePlan(files(1), history(-1, rows(1), true), latest);
    expect(plan.anomalies).toEqual([{ kind: 'dirty', version: -1n }]);
    expect(steps(plan)).toEqual(['up 1 → 1']);
    expect(plan.from).toBeUndefined();
  });

  test('a dirty version is reported on the way down, too, and stays out of it', () => {
    const plan = computePlan(files(1, 2, 3), history(3, rows(1, 2, 3), true), down(1));
    expect(anomalies(plan)).toEqual(['dirty 3']);
    expect(steps(plan)).toEqual(['down 2 → 1']);
  });
});

describe('taking over from golang-migrate', () => {
  const adopted = (plan: Plan) => plan.adopted.map(({ version }) => Number(version));

  test('without rows of ours every file up to its version is applied', () => {
    const plan = computePlan(files(1, 2, 3, 4), history(3), latest);
    expect(steps(plan)).toEqual(['up 4 → 4']);
    expect(plan.anomalies).toEqual([]);
    expect(adopted(plan)).toEqual([1, 2, 3]);
  });

  test('files above our highest row up to its version were applied by it', () => {
    const plan = computePlan(files(1, 2, 3, 4, 5), history(4, rows(1, 2)), latest);
    expect(steps(plan)).toEqual(['up 5 → 5']);
    expect(plan.anomalies).toEqual([]);
    expect(adopted(plan)).toEqual([3, 4]);
  });

  test('a file without a row below our highest row was not', () => {
    const plan = computePlan(files(1, 2, 3, 4), history(4, rows(1, 3)), latest);
    expect(anomalies(plan)).toEqual(['out of order 2']);
    expect(adopted(plan)).toEqual([4]);
  });

  test('rows above its version were rolled back by it', () => {
    const plan = computePlan(files(1, 2, 3), history(1, rows(1, 2, 3)), latest);
    expect(steps(plan)).toEqual(['up 2 → 2', 'up 3 → 3']);
    expect(plan.anomalies).toEqual([]);
  });

  test('rows above its version are no longer missing when their files are gone', () => {
    expect(anomalies(computePlan(files(1), history(1, rows(1, 2)), latest))).toEqual([]);
  });

  test('without a version nothing is applied, whatever our rows say', () => {
    for (const past of [history(undefined, rows(1, 2)), history(-1, rows(1, 2))]) {
      const plan = computePlan(files(1, 2), past, latest);
      expect(steps(plan)).toEqual(['up 1 → 1', 'up 2 → 2']);
      expect(plan).toMatchObject({ anomalies: [], from: undefined, to: 2n });
    }
  });

  test('when it rolled back below all of our rows, the rest counts as applied by it', () => {
    const plan = computePlan(files(1, 2, 3), history(2, rows(3)), latest);
    expect(steps(plan)).toEqual(['up 3 → 3']);
    expect(adopted(plan)).toEqual([1, 2]);
  });

  test('its version without a file or a row is missing', () => {
    const plan = computePlan(files(1, 2), history(7), latest);
    expect(plan.anomalies).toEqual([{ kind: 'missing', version: 7n, description: '' }]);
    expect(anomalies(computePlan(files(1, 2), history(7, rows(1)), latest))).toEqual(['missing 7']);
    expect(thrown(() => computePlan(files(1, 2), history(7), down(1)))).toMatchObject({
      message: '000007 cannot go down: it has no down file, and the history holds no down SQL for it',
      hint: 'bring back the files of 000007',
    });
  });

  test('an adopted file cannot be told from an edited one', () => {
    const plan = computePlan(files(1), history(1, [row(1, { checksum: undefined })]), latest);
    expect(plan).toMatchObject({ steps: [], anomalies: [], adopted: [] });
  });

  test('adopted files go down by their down files', () => {
    expect(steps(computePlan(files(1, 2), history(2), down(2)))).toEqual(['down 2 → 1', 'down 1 → -1']);
  });
});

describe('status', () => {
  test('names the state of every version, ascending', () => {
    const past = history(6, [row(1), row(2, { checksum: 'x' }), row(4), row(5)]);
    expect(states(files(1, 2, 3, 5, 6, 7), past)).toEqual([
      '000001 applied',
      '000002 edited',
      '000003 out of order',
      '000004 missing',
      '000005 applied',
      '000006 applied',
      '000007 pending',
    ]);
  });

  test('says when a version was applied and how long it took, only for a row that counts', () => {
    expect(describeStates(files(1, 2), history(1, rows(1, 2)))).toEqual([
      {
        version: 1n,
        label: '000001',
        description: 'm1',
        state: 'applied',
        appliedAt: new Date(1),
        durationMilliseconds: 1,
      },
      {
        version: 2n,
        label: '000002',
        description: 'm2',
        state: 'pending',
        appliedAt: undefined,
        durationMilliseconds: undefined,
      },
    ]);
  });

  test('shows a dirty version that has no file', () => {
    expect(states(files(1), history(3, rows(1), true))).toEqual(['000001 applied', '000003 dirty']);
  });

  test('pads a version without a file like the files, and like golang-migrate when there are none', () => {
    const short = { ...migration(1), label: '01' };
    expect(states([short], history(2, rows(1, 2)))).toEqual(['01 applied', '02 missing']);
    expect(states([], history(2, rows(2)))).toEqual(['000002 missing']);
  });
});

test('whatever the history, applying a plan leaves nothing pending', () => {
  const all = files(1, 2, 3);
  for (let pattern = 0; pattern < 8; pattern++) {
    const present = all.filter((_, index) => pattern & (1 << index));
    for (const current of [undefined, 1, 2, 3, 4]) {
      for (const having of [[], [1], [2], [3], [1, 2, 3]]) {
        const past = history(current, rows(...having));
        const plan = computePlan(present, past, latest);
        // What a caller keeps: the rows that still count, the adopted files, and each step.
        const kept = past.applied
          .map(({ version }) => version)
          .filter((version) => version <= (plan.from ?? -1n));
        const recorded = [...plan.adopted, ...plan.steps].map(({ version }) => version);
        const versions = [...kept, ...recorded].map(Number).sort((a, b) => a - b);
        const after = history(plan.to === undefined ? undefined : Number(plan.to), rows(...versions));
        expect(computePlan(present, after, latest)).toMatchObject({ steps: [], adopted: [] });
      }
    }
  }
});

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
