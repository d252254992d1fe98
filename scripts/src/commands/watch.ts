import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count, renderFailure } from '@lockstep/foundation';
import { Changes, watchedFolders } from '../changes.ts';
import { requireAccess } from '../checkout/access.ts';
import { explain } from '../checkout/system-failure.ts';
import { ForeignStackError, Interrupted } from '../errors.ts';
import { openStack } from '../prepare.ts';
import type { Project } from '../project.ts';
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
  const builder = startBuilder(project);
  let changes: Changes | undefined;
  try {
    // Followed from before the start, so that no change during it is lost; the first start of all writes .env itself.
    if (existsSync(project.envFile)) changes = follow(project);
    await upOrSay(options, terminal, 0);
    changes ??= follow(project);
    for (;;) {
      terminal.err('watching for changes; Ctrl-C ends it, and the stack runs on\n');
      const files = await changes.next(terminal.signal);
      if (terminal.signal.aborted) return;
      // The compose files may name other folders now.
      changes = follow(project, changes);
      terminal.err(`\nchanged: ${named(files)}\n`);
      await upOrSay(options, terminal, performance.now());
    }
  } finally {
    changes?.close();
    builder?.kill('SIGTERM');
  }
}

async function upOrSay(options: GlobalOptions, terminal: Terminal, since: number): Promise<void> {
  try {
    await up(options, terminal, { since });
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

function named(files: readonly string[]): string {
  const more = files.length - shownFiles;
  return `${files.slice(0, shownFiles).join(', ')}${more > 0 ? ` and ${count(more, 'other')}` : ''}`;
}
