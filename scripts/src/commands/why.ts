import { count } from '@lockstep/foundation';
import { withDependencies } from '../compose/graph.ts';
import { initContainers, type Stack } from '../compose/stack.ts';
import type { ServiceState } from '../engine.ts';
import { UsageError } from '../errors.ts';
import { type FailureRecord, readFailures } from '../failures.ts';
import { openStack } from '../prepare.ts';
import { describe } from '../progress.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/**
 * Replays why a service failed when it was last started: the kept words of the service itself, of its init container, and
 * of what it waits for. Works without the container, the engine and Postgres.
 *
 * @returns 0, also when nothing failed
 */
export function why(
  service: string | undefined,
  options: GlobalOptions & { readonly format: 'text' | 'json' },
  terminal: Terminal,
): number {
  const { stack, project } = openStack(projectOf(options));
  const chosen = service === undefined ? undefined : withAllItWaitsFor(stack, service);
  const records = readFailures(project).filter((one) => chosen?.has(one.service) ?? true);
  if (options.format === 'json') {
    terminal.out(`${JSON.stringify(records, null, 2)}\n`);
    return 0;
  }
  const open = records.filter(({ mendedAt }) => mendedAt === undefined);
  // What was mended is told only to who asks for that service.
  const shown = open.length > 0 || service === undefined ? open : records.slice(0, 1);
  if (shown.length === 0) terminal.out(`${service ?? stack.name}: no failure is on record\n`);
  for (const record of shown) terminal.out(render(record));
  const mended = records.length - open.length;
  if (service === undefined && mended > 0)
    terminal.err(`${count(mended, 'fixed failure')} not shown; make why SERVICE= shows one\n`);
  return 0;
}

function withAllItWaitsFor(stack: Stack, service: string): Set<string> {
  const name = stack.services.has(service)
    ? service
    : initContainers(stack).find((one) => one.service === service)?.initContainer;
  if (name === undefined) {
    const all = [...stack.services.keys()].join(', ');
    throw new UsageError(`no service ${JSON.stringify(service)}`, { evidence: [`there are: ${all}`] });
  }
  const graph = [...stack.services.values()].map(
    (one) => [one.name, one.dependsOn.map((on) => on.service)] as const,
  );
  return withDependencies(new Map(graph), [name]);
}

function render({
  service,
  engine,
  at,
  state,
  exitStatus,
  output,
  blocked,
  mendedAt,
}: FailureRecord): string {
  const status = { service, state: asState(state), ...(exitStatus === undefined ? {} : { exitStatus }) };
  const lines = [
    `${service}: ${describe(status)} at ${at} on ${engine}`,
    ...output.map((line) => (line === '' ? '' : `  ${line}`)),
    ...(blocked.length === 0 ? [] : [`  stayed down because of it: ${blocked.join(', ')}`]),
    ...(mendedAt === undefined ? [] : [`  it has worked since ${mendedAt}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** The record is a file; a word that is none of ours is shown as a failure. */
function asState(word: string): ServiceState {
  return word === 'unhealthy' || word === 'restarting' || word === 'stopped' ? word : 'failed';
}
