import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count, renderFailure } from '@lockstep/foundation';
import { Changes, namesOfEdits, watchedFolders } from '../changes.ts';
import { requireAccess } from '../checkout/access.ts';
import { explain } from '../checkout/system-failure.ts';
import { ForeignStackError, Interrupted } from '../errors.ts';
import { openStack } from '../prepare.ts';
import type { Project } from '../project.ts';
import { columnsOf, shorten } from '../table.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';
import { up } from './up.ts';

const shownFiles = 3;

/**
 * Starts the stack and then, whenever a file that it is made of changes, brings it up to date: new migrations are applied,
 * an app whose program was rebuilt is replaced. A failure is printed, and the next change tries again. Ends on Ctrl-C; the
 * stack runs on.
 */
export async function watch(options: GlobalOptions, terminal: Terminal): Promise<void> {
  const project = projectOf(options);
  requireAccess(project);
  let changes: Changes | undefined;
  let builder: ChildProcess | undefined;
  let since = Date.now();
  try {
    // Followed from before the start, so that no change during it is lost; the first start of all writes .env itself. What the
    // builder makes is compared with what was there before it.
    if (existsSync(project.envFile)) changes = follow(project);
    builder = startBuilder(project);
    await upOrSay(options, terminal, { since: 0 });
    changes ??= follow(project);
    terminal.err('watching for changes; Ctrl-C ends it, and the stack runs on\n');
    for (;;) {
      const files = await changes.next(terminal.signal);
      if (terminal.signal.aborted) return;
      // The compose files may name other folders now.
      changes = follow(project, changes);
      terminal.err(`${named(namesOfEdits(project.root, files, since))}\n`);
      since = Date.now();
      await upOrSay(options, terminal, { since: performance.now(), isBrief: true });
    }
  } finally {
    changes?.close();
    builder?.kill('SIGTERM');
  }
}

async function upOrSay(
  options: GlobalOptions,
  terminal: Terminal,
  way: { readonly since: number; readonly isBrief?: boolean },
): Promise<void> {
  try {
    await up(options, terminal, way);
  } catch (error) {
    // No file that changes makes another folder's stack ours.
    if (error instanceof Interrupted || error instanceof ForeignStackError) throw error;
    terminal.err(renderFailure('stack', explain(error, process.cwd())));
  }
}

/** Files that are wrong for the moment are watched as they were. */
function follow(project: Project, before?: Changes): Changes {
  try {
    const changes = new Changes(project.root, watchedFolders(project, openStack(project).stack));
    before?.close();
    return changes;
  } catch (error) {
    if (before === undefined) throw error;
    return before;
  }
}

/** Rebuilds the programs when their sources change; a project that brings no build of its own has none. */
function startBuilder({ root }: Project): ChildProcess | undefined {
  const script = join(root, 'scripts/build.mjs');
  if (!existsSync(script)) return undefined;
  return spawn(process.execPath, [script, '--watch'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** `changed: a.ts, b.ts and 3 others`, in one line of the terminal. */
function named(files: readonly string[]): string {
  const shown = files.slice(0, shownFiles);
  const more = files.length - shown.length;
  const others = more > 0 ? ` and ${count(more, 'other')}` : '';
  return `${shorten(`changed: ${shown.join(', ')}`, columnsOf(process.stderr) - others.length)}${others}`;
}
