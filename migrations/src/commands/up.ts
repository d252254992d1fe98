import type { Command, Options, Work } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { Target } from '../plan.ts';
import { stepsOf, textOf } from './arguments.ts';
import { migrating, migratingOptions } from './migrating.ts';

export const up: Command = {
  usage: 'up [steps]',
  words: 'applies every pending migration, or the next [steps]',
  options: [
    ...migratingOptions,
    [
      '--databases <list>',
      'migrates many: a file with a name or connection string a line, or a query for them',
    ],
    ['--concurrency <number>', 'how many of them at once; default: 4'],
    ['--failures <number>', 'after more failures than these no further one is begun; default: 0'],
    ['--shard <index/count>', 'only this part of them, from 0/8 to 7/8, for several machines'],
  ],
  audited: 'MIGRATION_EXECUTE',
  examples: [
    'up',
    'up 1 --timeout 10s',
    'up --dry-run',
    'up --approved plan.json --environment production',
    'up --databases tenants.txt --concurrency 8 --failures 3',
    `up --databases "select datname from pg_database where datname like 'tenant_%'"`,
  ],
  prepare: (steps, options) => {
    const target: Target =
      steps === undefined ? { kind: 'latest' } : { kind: 'up', steps: stepsOf(steps, 'up') };
    return options['databases'] === undefined ? one(target, options) : fleet(target, options);
  },
};

const ofFleets = ['concurrency', 'failures', 'shard'] as const;

function one(target: Target, options: Options): Work {
  const stray = ofFleets.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray} is for --databases`, 'migrate up --help');
  return migrating(target, options);
}

function fleet(target: Target, options: Options): Work {
  const stray = (['dryRun', 'approved'] as const).find((name) => options[name] !== undefined);
  if (stray !== undefined) {
    const flag = stray === 'dryRun' ? '--dry-run' : '--approved';
    throw new UsageError(`${flag} is for one database, and --databases names many`, 'migrate plan --help');
  }
  const wishes = {
    list: textOf(options['databases']) ?? '',
    concurrency: numberOf(options, 'concurrency', { min: 1, max: 200 }, 4),
    failures: numberOf(options, 'failures', { min: 0, max: 1_000_000 }, 0),
    shard: shardOf(textOf(options['shard'])),
    yes: options['yes'] === true,
  };
  return async (settings, hooks, names) => {
    const { migrateFleet } = await import('../fleet/fleet.ts');
    const { reportFleet } = await import('../fleet/fleet-report.ts');
    return reportFleet(await migrateFleet(settings, target, wishes, hooks), names);
  };
}

function numberOf(
  options: Options,
  name: (typeof ofFleets)[number],
  { min, max }: { min: number; max: number },
  fallback: number,
): number {
  const text = textOf(options[name]);
  if (text === undefined) return fallback;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${name}: expected a number from ${min} to ${max}`, 'migrate up --help');
}

function shardOf(text: string | undefined): { index: number; count: number } | undefined {
  if (text === undefined) return undefined;
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index < shard.count) return shard;
  throw new UsageError('--shard: expected index/count, the index from 0, such as 0/8', 'migrate up --help');
}
