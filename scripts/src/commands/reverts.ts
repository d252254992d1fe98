import { count } from '@lockstep/foundation';
import type { Engine } from '../engine.ts';
import type { chosenMigrations } from './context.ts';

/** What a `down` of one service would revert. */
export interface Reverts {
  readonly service: string;
  /** Ascending: `15 index_services_by_title`. */
  readonly migrations: readonly string[];
  /** Whether nothing would be left of its schema. */
  readonly isAll: boolean;
  /** Running apps that need more than would be left: `services-api needs version 15`. */
  readonly dependents: readonly string[];
}

const mostNamed = 3;

/** Asks each service's migrator what it would revert; the exit status of the first that refuses, which has said why. */
export async function foreseeReverts(
  engine: Engine,
  words: readonly string[],
  chosen: ReturnType<typeof chosenMigrations>,
): Promise<readonly Reverts[] | number> {
  const all: Reverts[] = [];
  for (const { service, initContainer } of chosen) {
    const args = [...words, '--dry-run', '--format', 'json'];
    const { exitStatus, stdout } = await engine.run({
      service: initContainer,
      args,
      capture: true,
      quiet: true,
    });
    if (exitStatus !== 0) return exitStatus;
    all.push(readReverts(service, stdout));
  }
  return all;
}

/** Reads the JSON of `migrate down --dry-run`. */
export function readReverts(service: string, text: string): Reverts {
  const plan: unknown = JSON.parse(text);
  const steps = listOf(plan, 'steps').filter((step) => fieldOf(step, 'direction') === 'down');
  return {
    service,
    migrations: steps.map((step) => `${fieldOf(step, 'version')} ${fieldOf(step, 'description')}`).reverse(),
    isAll: steps.length > 0 && fieldOf(plan, 'to') === null,
    dependents: listOf(plan, 'dependents').map(
      (one) => `${fieldOf(one, 'application')} needs version ${fieldOf(one, 'needs')}`,
    ),
  };
}

/** Lines for people; none when nothing would be reverted. */
export function describeReverts({ service, migrations, isAll, dependents }: Reverts): string[] {
  if (migrations.length === 0) return [];
  const amount = `${isAll ? 'all ' : ''}${count(migrations.length, 'migration')}`;
  const named = migrations.slice(-mostNamed);
  const others = migrations.length - named.length;
  return [
    `  ${service}: ${amount}${isAll ? '; its tables and their rows are deleted' : ''}`,
    ...(others > 0 ? [`    ${count(others, 'other')} and`] : []),
    ...named.map((name) => `    ${name}`),
    ...dependents.map((one) => `    ${one} and is running: it will fail`),
  ];
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
