import { chooseEngine } from '../choose.ts';
import { openStack } from '../prepare.ts';
import { renderTable } from '../table.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/** Prints what each service is at: a table, or one JSON document. */
export async function status(
  options: GlobalOptions & { readonly format: 'text' | 'json' },
  terminal: Terminal,
): Promise<void> {
  const opened = openStack(projectOf(options));
  const { engine } = await chooseEngine(options.engine, opened);
  const services = await engine.status();
  if (options.format === 'json') {
    terminal.out(
      `${JSON.stringify({ project: opened.stack.name, engine: engine.name, services }, null, 2)}\n`,
    );
    return;
  }
  const rows = services.map(({ service, state, url, exitStatus, pid, note }) => [
    service,
    exitStatus === undefined || exitStatus === 0 ? state : `${state} (${exitStatus})`,
    state === 'stopped' ? '' : (url ?? ''),
    pid === undefined ? '' : String(pid),
    note ?? '',
  ]);
  terminal.out(renderTable([['service', 'state', 'URL', 'pid', ''], ...rows]));
  terminal.err(`${opened.stack.name} on ${engine.name}\n`);
}
