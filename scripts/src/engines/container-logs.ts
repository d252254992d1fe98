import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { redact } from '@lockstep/foundation';
import type { LogOptions } from '../engine.ts';
import { environment } from '../environment.ts';
import { byService } from './container-outcome.ts';
import type { Container } from './container-shapes.ts';
import type { Containers, ContainerTools } from './containers.ts';
import { type LogLine, LogPrinter } from './log-lines.ts';

/** Of each service so many lines outlive its container. */
const mostKept = 5_000;

/** Where the logs of containers are kept that were removed. */
interface Kept {
  readonly stateFolder: string;
}

/**
 * Prints what the services' containers said, in the order of time; of a service without a container what was kept when it was
 * removed. Follows what is added when asked to.
 */
export async function printContainerLogs(
  tools: ContainerTools,
  containers: Containers,
  kept: Kept,
  options: LogOptions,
): Promise<void> {
  const now = byService(await containers.list());
  const printer = new LogPrinter(options);
  const read = await Promise.all(
    options.services.map((service) => {
      const container = now.get(service);
      if (container === undefined) return readKept(kept, service, options.tail);
      return containers.logs(container, options.tail);
    }),
  );
  printer.printAll(read.flat());
  if (!options.follow || options.signal.aborted) return;
  const followed = options.services.flatMap((service, index) => {
    const container = now.get(service);
    // What came while the rest was printed is not lost, and nothing is printed twice.
    const since = read[index]?.at(-1)?.at;
    return container === undefined ? [] : [follow(tools, container, since, printer, options.signal)];
  });
  await Promise.all(followed);
}

/** Keeps what the containers said before they are removed; a log that cannot be read or written keeps nobody from stopping. */
export async function keepContainerLogs(containers: Containers, { stateFolder }: Kept): Promise<void> {
  try {
    const folder = join(stateFolder, 'logs');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const container of await containers.list()) {
      const lines = await containers.logs(container, mostKept);
      const text = lines.map((line) => `${new Date(line.at).toISOString()} ${redact(line.text)}\n`).join('');
      const file = join(folder, `${container.service}.log`);
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
  } catch {
    // Then there is nothing to read afterwards, as it was always.
  }
}

function readKept({ stateFolder }: Kept, service: string, tail = mostKept): LogLine[] {
  try {
    const text = readFileSync(join(stateFolder, 'logs', `${service}.log`), 'utf8');
    const lines = text.split('\n').flatMap((line) => readLine(service, line) ?? []);
    return tail === 0 ? [] : lines.slice(-tail);
  } catch {
    return [];
  }
}

/** `2026-01-02T03:04:05.123456789Z text`, as `logs --timestamps` prints it; Podman gives the offset of the zone. */
export function readLine(service: string, line: string): LogLine | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?(.*)$/.exec(line);
  const [, second, fraction = '', zone, text = ''] = match ?? [];
  const at = Date.parse(`${second}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? undefined : { service, at, text };
}

/** Goes on with what a container prints after `since`, until it ends or `signal` aborts. */
function follow(
  { program, environment: own }: ContainerTools,
  { id, service }: Container,
  since: number | undefined,
  printer: LogPrinter,
  signal: AbortSignal,
): Promise<void> {
  const from = since === undefined ? [] : ['--since', new Date(since + 1).toISOString()];
  const child = spawn(program, ['logs', '--timestamps', '--follow', ...from, id], {
    env: { ...environment, ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      const line = readLine(service, text);
      if (line !== undefined) printer.print(line);
    });
  }
  return new Promise((resolve) => child.once('error', () => resolve()).once('close', () => resolve()));
}
