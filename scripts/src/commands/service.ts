import { count } from '@lockstep/foundation';
import { requireAccess } from '../checkout/access.ts';
import { Interrupted } from '../errors.ts';
import { lock } from '../lock.ts';
import { openStack } from '../prepare.ts';
import { type Addition, planAddition } from '../service/addition.ts';
import { installWorkspace, isInstalled } from '../service/installed.ts';
import { type NewService, readServiceName } from '../service/name.ts';
import { renderAddition } from '../service/render-addition.ts';
import { writeAddition } from '../service/write-addition.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/**
 * Adds a service to the stack: whatever is missing of it is written, what is there stays as it is. So a second run
 * changes nothing, and one after a run that was killed completes it. With `dryRun` it only says what it would write.
 */
export async function addService(
  name: string,
  options: GlobalOptions & { readonly dryRun: boolean },
  terminal: Terminal,
): Promise<void> {
  const service = readServiceName(name);
  const project = projectOf(options);
  if (options.dryRun) {
    const addition = planAddition(openStack(project), service);
    terminal.out(isNothing(addition) ? nothing(service) : renderAddition(service, addition));
    return;
  }
  requireAccess(project);
  const held = await lock(project.stateFolder, 'service.lock', 10_000);
  try {
    const addition = planAddition(openStack(project), service);
    if (isNothing(addition)) {
      terminal.out(nothing(service));
      return;
    }
    const installed = isInstalled(project.root);
    const { signal } = terminal;
    const written = (path: string) => terminal.err(`wrote ${path}\n`);
    await writeAddition(project.root, service.name, addition, { signal, written });
    if (installed) await installWorkspace(project.root, service.name, addition.chassisVersion);
    terminal.out(closing(service, addition));
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    const signal = terminal.signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    throw new Interrupted(signal, ['what was written is whole; the same command writes the rest']);
  } finally {
    held.release();
  }
}

function isNothing({ folder, changes }: Addition): boolean {
  return folder.length === 0 && changes.length === 0;
}

function nothing({ name }: NewService): string {
  return `${name} is part of the stack; there is nothing to write\n`;
}

function closing({ name, database, portSetting }: NewService, { folder, sibling, port }: Addition): string {
  const made = folder.length > 0 ? `${count(folder.length, 'file')} in ${name}/` : `${name}/ was there`;
  const lines = [
    `${name} is part of the stack: ${made}, in compose.yaml as ${sibling}`,
    `database ${database}, roles ${database}_migrator and ${database}_app`,
    ...(port === undefined ? [] : [`port ${port}; another one by ${portSetting} in .env`]),
    'next: make up',
  ];
  return `${lines.join('\n')}\n`;
}
