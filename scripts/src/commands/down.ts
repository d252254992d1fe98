import { count } from '@lockstep/foundation';
import { requireAccess } from '../checkout/access.ts';
import { forgetGiven } from '../checkout/given-settings.ts';
import { chooseEngine, forgetEngine, recordedEngine } from '../choose.ts';
import { initContainers } from '../compose/stack.ts';
import { confirm } from '../confirm.ts';
import type { Engine, Progress } from '../engine.ts';
import { type OpenedStack, openStack } from '../prepare.ts';
import {
  exclusively,
  type GlobalOptions,
  listed,
  passedOverLine,
  projectOf,
  refuseService,
  type Terminal,
} from './context.ts';
import { requireOwn } from './own.ts';
import { up } from './up.ts';

/** Stops the stack; its volumes stay, unless they are to be deleted too. */
export async function down(
  options: GlobalOptions & { readonly volumes: boolean },
  terminal: Terminal,
): Promise<void> {
  refuseService('down');
  const { engine, opened } = await open(options, terminal);
  if (options.volumes) await confirm(deletion('down --volumes', opened), terminal);
  await exclusively(opened, engine, terminal, async () => {
    if (options.volumes) await destroy('down', engine, opened, terminal);
    else {
      const ran = await engine.down(stopLines(terminal));
      terminal.err(`${ran ? 'stopped' : 'nothing was running'}; the volumes are kept\n`);
    }
    forgetIf(engine, opened);
  });
}

/** Another engine's stack that was started since is not this command's to forget. */
function forgetIf(engine: Engine, { project }: OpenedStack): void {
  if (recordedEngine(project) !== engine.name) return;
  forgetEngine(project);
  forgetGiven(project);
}

/** Stops the stack, deletes its volumes, and starts it anew. */
export async function reset(options: GlobalOptions, terminal: Terminal): Promise<void> {
  refuseService('db-reset');
  const { engine, opened } = await open(options, terminal);
  await confirm(deletion('db-reset', opened), terminal);
  await exclusively(opened, engine, terminal, async () => {
    await destroy('reset', engine, opened, terminal);
    forgetIf(engine, opened);
  });
  await up({ ...options, engine: engine.name }, terminal, { before: 'reset' });
}

/** What goes with the volumes, in few words: it is read a dozen times a day. */
function deletion(command: string, { stack }: OpenedStack) {
  const services = initContainers(stack).map(({ service }) => service);
  const databases = services.length === 0 ? [] : [`  the databases of ${listed(services)}`];
  return {
    command,
    lines: [
      `${command} deletes ${count(stack.volumes.length, 'volume')} of ${stack.name}, with all that is in them:`,
      ...databases,
      '  all credentials (.env and its secrets are kept)',
    ],
  };
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
  const project = projectOf(options);
  requireAccess(project);
  const opened = openStack(project);
  const { engine, passedOver } = await chooseEngine(options.engine, opened);
  const line = passedOverLine(engine.name, passedOver);
  if (line !== undefined) terminal.err(line);
  await requireOwn(engine, opened, terminal);
  return { engine, opened };
}

function stopLines(terminal: Terminal): (progress: Progress) => void {
  return (progress) => {
    if (progress.kind === 'service' && progress.status.state === 'stopped') {
      terminal.err(`  ${progress.status.service} stopped\n`);
    }
  };
}
