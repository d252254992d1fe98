import { chooseEngine } from '../choose.ts';
import { UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import { chosenMigrations, type GlobalOptions, projectOf, type Terminal } from './context.ts';

/** Runs a one-shot service in the foreground with other arguments; returns its exit status. */
export async function run(service: string, args: readonly string[], options: GlobalOptions): Promise<number> {
  const opened = openStack(projectOf(options));
  const found = opened.stack.services.get(service);
  if (found === undefined) {
    const all = [...opened.stack.services.keys()].join(', ');
    throw new UsageError(`no service ${JSON.stringify(service)}`, { evidence: [`there are: ${all}`] });
  }
  const { engine } = await chooseEngine(options.engine, opened);
  const given = args.length === 0 ? found.command : args;
  const { exitStatus } = await engine.run({ service, args: given, capture: false });
  return exitStatus;
}

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
  const json = options.format === 'json';
  const args = json ? [...words, '--format', 'json'] : words;
  const documents: Record<string, unknown> = {};
  let status = 0;
  for (const { service, initContainer } of chosen) {
    if (chosen.length > 1 && !json) terminal.err(`${service}:\n`);
    const { exitStatus, stdout } = await engine.run({ service: initContainer, args, capture: json });
    if (json) documents[service] = parseDocument(stdout);
    if (status === 0) status = exitStatus;
  }
  const [only] = chosen;
  if (json) {
    const document = chosen.length === 1 && only !== undefined ? documents[only.service] : documents;
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  return status;
}

/** A migrator that failed before it had a result prints none. */
function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
