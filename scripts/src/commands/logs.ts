import { chooseEngine } from '../choose.ts';
import { UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/** Prints the output of the chosen services, or of all. */
export async function logs(
  names: readonly string[],
  options: GlobalOptions & { readonly follow: boolean; readonly tail: number | undefined },
  terminal: Terminal,
): Promise<void> {
  const opened = openStack(projectOf(options));
  const all = [...opened.stack.services.keys()];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`no service ${JSON.stringify(unknown)}`, {
      evidence: [`there are: ${all.join(', ')}`],
    });
  }
  const { engine } = await chooseEngine(options.engine, opened);
  const services = names.length === 0 ? all : names;
  const { follow, tail } = options;
  await engine.logs({ services, follow, tail, signal: terminal.signal, write: terminal.out });
}
