import type { Approach } from '../strategy.ts';
import { blocksReaders, blocksWriters, type Lock } from './locks.ts';
import type { Risk } from './rule.ts';

export const levels = ['low', 'medium', 'high'] as const;
export type Level = (typeof levels)[number];

/** What a statement does, as far as it can be read. */
export interface StatementRisk {
  /** The statement's first line, shortened. */
  readonly statement: string;
  readonly line: number;
  /** On tables that were there before the file. */
  readonly locks: readonly Lock[];
  readonly risks: readonly Risk[];
  /** Whether it runs in no transaction. */
  readonly alone: boolean;
}

/** What a migration does, and how carefully it wants to be run. */
export interface MigrationRisk {
  readonly statements: readonly StatementRisk[];
  readonly irreversible: boolean;
  readonly score: number;
  readonly level: Level;
}

/** Points of each thing, added over the statements. One table, in one place. */
const points = {
  /** Everybody else waits, if only for an instant, behind whatever runs. */
  blocksReaders: 2,
  blocksWriters: 1,
  /** The table is read while writers wait for it. */
  scanUnderLock: 12,
  scan: 2,
  rewrites: 25,
  'loses data': 25,
  'changes rows': 8,
  'breaks the running app': 15,
  'cannot be read': 8,
  alone: 1,
  irreversible: 10,
} as const;

/** From these scores on. */
const thresholds: Readonly<Record<Level, number>> = { low: 0, medium: 10, high: 25 };

/** The strategy that a level asks for at least: its backup, its validation, its approval. */
export const strategyFor: Readonly<Record<Level, Approach>> = {
  low: 'aggressive',
  medium: 'careful',
  high: 'conservative',
};

export function scoreOf(statements: readonly StatementRisk[], irreversible: boolean): MigrationRisk {
  const sum = statements.reduce((total, statement) => total + pointsOf(statement), 0);
  const score = sum + (irreversible ? points.irreversible : 0);
  return { statements, irreversible, score, level: levelOf(score) };
}

export function levelOf(score: number): Level {
  return levels.findLast((level) => score >= thresholds[level]) ?? 'low';
}

/** The higher of the levels; low for none. */
export function highest(all: readonly Level[]): Level {
  return levels.findLast((level) => all.includes(level)) ?? 'low';
}

function pointsOf({ locks, risks, alone }: StatementRisk): number {
  let sum = alone ? points.alone : 0;
  if (locks.some(({ mode }) => blocksReaders(mode))) sum += points.blocksReaders;
  else if (locks.some(({ mode }) => blocksWriters(mode))) sum += points.blocksWriters;
  for (const risk of risks) {
    if (risk === 'scans')
      sum += locks.some(({ mode }) => blocksWriters(mode)) ? points.scanUnderLock : points.scan;
    else sum += points[risk];
  }
  return sum;
}
