import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mapAtMost } from '@lockstep/foundation';
import { chooseEngine } from '../choose.ts';
import { confirm, isConfirmed } from '../confirm.ts';
import type { Engine } from '../engine.ts';
import { UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import { chosenMigrations, type GlobalOptions, listed, projectOf, type Terminal } from './context.ts';
import { requireOwn } from './own.ts';
import { describeReverts, foreseeReverts } from './reverts.ts';

/** Runs a one-shot service in the foreground with other arguments; returns its exit status. */
export async function run(service: string, args: readonly string[], options: GlobalOptions): Promise<number> {
  const opened = openStack(projectOf(options));
  const found = opened.stack.services.get(service);
  if (found === undefined) {
    const all = [...opened.stack.services.keys()].join(', ');
    throw new UsageError(`no service ${JSON.stringify(service)}`, { evidence: [`there are: ${all}`] });
  }
  const { engine } = await chooseEngine(options.engine, opened);
  await requireOwn(engine, opened, undefined);
  const given = args.length === 0 ? found.command : args;
  const { exitStatus } = await engine.run({ service, args: given, capture: false });
  return exitStatus;
}

/** Commands that only look. */
const readers = new Set(['plan', 'status', 'verify']);

/** Commands whose report begins with the name of the service: a heading would say it twice. */
const namesItself = new Set(['up', 'down', 'goto', 'status', 'plan', 'history', 'recreate', 'undo']);

type Chosen = ReturnType<typeof chosenMigrations>;

/**
 * Runs a command of the migrator for the chosen service or for each in turn; returns the first exit status that is not 0.
 * In JSON, one document: the service's own, or an object with one entry for each.
 */
export async function migrate(
  words: readonly string[],
  options: GlobalOptions & { readonly service: string | undefined; readonly format: 'text' | 'json' },
  terminal: Terminal,
): Promise<number> {
  const opened = openStack(projectOf(options));
  const chosen = chosenMigrations(opened.stack, options.service);
  const { engine } = await chooseEngine(options.engine, opened);
  await requireOwn(engine, opened, terminal);
  const refused = await confirmLoss(engine, words, chosen, terminal);
  if (refused !== undefined) return refused;
  const json = options.format === 'json';
  const args = json ? [...words, '--format', 'json'] : words;
  // In the order of the services, whichever ends first.
  const documents: Record<string, unknown> = Object.fromEntries(chosen.map(({ service }) => [service, null]));
  const runOne = async ({ service, initContainer }: (typeof chosen)[number]) => {
    if (chosen.length > 1 && !json && !namesItself.has(words[0] ?? '')) terminal.err(`${service}:\n`);
    const { exitStatus, stdout } = await engine.run({ service: initContainer, args, capture: json });
    if (json) documents[service] = parseDocument(stdout);
    return exitStatus;
  };
  const root = opened.project.root;
  const statuses: number[] = [];
  // Services that need each other's migrations go up together, as each waits for the others where it must.
  if (words[0] === 'up' && chosen.some(({ service }) => hasDependencies(root, service))) {
    statuses.push(...(await Promise.all(chosen.map(runOne))));
  } else {
    // Text appears as it is written, so one after the other; documents of commands that change nothing are gathered side by side.
    const atMost = json && readers.has(words[0] ?? '') ? (engine.runsAtOnce ?? 1) : 1;
    statuses.push(...(await mapAtMost(chosen, atMost, runOne)));
  }
  const status = statuses.find((one) => one !== 0) ?? 0;
  const [only] = chosen;
  if (json) {
    const document = chosen.length === 1 && only !== undefined ? documents[only.service] : documents;
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  return status;
}

/**
 * Asks before something is reverted or replaced; returns the exit status of a migrator that refuses it anyway, in its own words.
 *
 * @throws {ConfirmationMissing} when it was not confirmed
 */
async function confirmLoss(
  engine: Engine,
  words: readonly string[],
  chosen: Chosen,
  terminal: Terminal,
): Promise<number | undefined> {
  const [command = ''] = words;
  const looksOnly = words.some((word) => ['--dry-run', '--help', '-h'].includes(word));
  if (isConfirmed() || looksOnly || words.includes('--yes')) return undefined;
  const services = listed(chosen.map(({ service }) => service));
  if (command === 'recreate') {
    await confirm(
      {
        command: 'db-recreate',
        lines: [
          `db-recreate builds the database of ${services} anew, from migrations alone`,
          '  rows that are in it now stay in the previous database (make db-undo)',
        ],
      },
      terminal,
    );
  }
  if (command === 'undo') {
    const lines = [
      `db-undo puts the previous database of ${services} in place of the present one`,
      '  rows written since stay in the other (make db-undo again)',
    ];
    await confirm({ command: 'db-undo', lines }, terminal);
  }
  if (!['down', 'goto', 'rollback'].includes(command)) return undefined;
  const plans = await foreseeReverts(engine, words, chosen);
  if (typeof plans === 'number') return plans;
  const lines = plans.flatMap(describeReverts);
  const name = command === 'down' ? 'db-migrate-down' : `migrate ${command}`;
  if (lines.length > 0) await confirm({ command: name, lines: [`${name} reverts:`, ...lines] }, terminal);
  return undefined;
}

function hasDependencies(root: string, service: string): boolean {
  return existsSync(join(root, service, 'migrations', 'dependencies.json'));
}

/** A migrator that failed before it had a result prints none. */
function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
