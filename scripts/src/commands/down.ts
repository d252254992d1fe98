import { chooseEngine, forgetEngine } from '../choose.ts';
import type { Engine, Progress } from '../engine.ts';
import { type OpenedStack, openStack } from '../prepare.ts';
import { type GlobalOptions, passedOverLine, projectOf, type Terminal } from './context.ts';
import { up } from './up.ts';

/** Stops the stack; its volumes stay, unless they are to be deleted too. */
export async function down(
  options: GlobalOptions & { readonly volumes: boolean },
  terminal: Terminal,
): Promise<void> {
  const { engine, opened } = await open(options, terminal);
  if (options.volumes) await destroy('down', engine, opened, terminal);
  else {
    const ran = await engine.down(stopLines(terminal));
    terminal.err(`${ran ? 'stopped' : 'nothing was running'}; the volumes are kept\n`);
  }
  forgetEngine(opened.project);
}

/** Stops the stack, deletes its volumes, and starts it anew. */
export async function reset(options: GlobalOptions, terminal: Terminal): Promise<void> {
  const { engine, opened } = await open(options, terminal);
  await destroy('reset', engine, opened, terminal);
  forgetEngine(opened.project);
  await up({ ...options, engine: engine.name }, terminal, { before: 'reset' });
}

/** Says what will be lost before it is. */
async function destroy(
  command: string,
  engine: Engine,
  { stack }: OpenedStack,
  terminal: Terminal,
): Promise<void> {
  const { volumes, name } = stack;
  terminal.err(`${command}: deleting every volume of ${name}, with all its data: ${volumes.join(', ')}\n`);
  terminal.err(`${command}: .env and its secrets are kept\n`);
  const deleted = await engine.destroy(stopLines(terminal));
  terminal.err(
    deleted.length === 0 ? `${command}: there was none\n` : `${command}: deleted ${deleted.join(', ')}\n`,
  );
}

async function open(
  options: GlobalOptions,
  terminal: Terminal,
): Promise<{ engine: Engine; opened: OpenedStack }> {
  const opened = openStack(projectOf(options));
  const { engine, passedOver } = await chooseEngine(options.engine, opened);
  const line = passedOverLine(engine.name, passedOver);
  if (line !== undefined) terminal.err(line);
  return { engine, opened };
}

function stopLines(terminal: Terminal): (progress: Progress) => void {
  return (progress) => {
    if (progress.kind === 'service' && progress.status.state === 'stopped') {
      terminal.err(`  ${progress.status.service} stopped\n`);
    }
  };
}
