import { chooseEngine } from '../choose.ts';
import { UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import { type GlobalOptions, noService, projectOf } from './context.ts';
import { requireOwn } from './own.ts';

/** Opens a shell where a service runs, or runs `words` there; returns the exit status of either. */
export async function shell(
  service: string | undefined,
  words: readonly string[],
  options: GlobalOptions,
): Promise<number> {
  const opened = openStack(projectOf(options));
  const names = [...opened.stack.services.keys()];
  if (service === undefined) {
    throw new UsageError('which service?', {
      evidence: [`there are: ${names.join(', ')}`],
      hint: `make shell SERVICE=${names.at(-1)}`,
    });
  }
  if (!opened.stack.services.has(service)) throw noService(opened.stack, service);
  const { engine } = await chooseEngine(options.engine, opened);
  await requireOwn(engine, opened, undefined);
  return engine.shell(service, words);
}
