import { join, relative } from 'node:path';
import { chooseEngine } from '../choose.ts';
import type { Stack } from '../compose/stack.ts';
import type { ServiceStatus } from '../engine.ts';
import { environment } from '../environment.ts';
import { PreflightError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import type { Project } from '../project.ts';
import { columnsOf, renderTable, shorten } from '../table.ts';
import { lastTimeline, renderTimeline } from '../timeline.ts';
import { type GlobalOptions, noService, projectOf, type Terminal } from './context.ts';
import { ownerLine } from './own.ts';

/** Prints what each service is at: a table, or one JSON document. */
export async function status(
  options: GlobalOptions & { readonly format: 'text' | 'json'; readonly timeline?: boolean },
  terminal: Terminal,
): Promise<void> {
  const opened = openStack(projectOf(options));
  if (options.timeline === true || environment['TIMELINE'] === '1')
    return timeline(opened.project, options.format, terminal);
  const { engine } = await chooseEngine(options.engine, opened);
  const [all, owner] = await Promise.all([engine.status(), ownerLine(engine, opened)]);
  const services = chosenStatuses(all, opened.stack);
  if (options.format === 'json') {
    terminal.out(
      `${JSON.stringify({ project: opened.stack.name, engine: engine.name, services }, null, 2)}\n`,
    );
    return;
  }
  terminal.out(renderStatuses(services, columnsOf(process.stdout)));
  terminal.err(`${opened.stack.name} on ${engine.name}${owner === undefined ? '' : `: ${owner}`}\n`);
}

/** A row for each service, and under it, where there is one, why it is in its state. */
export function renderStatuses(services: readonly ServiceStatus[], columns: number): string {
  const rows = services.map(({ service, state, url, exitStatus, pid }) => [
    service,
    exitStatus === undefined || exitStatus === 0 ? state : `${state} (${exitStatus})`,
    state === 'stopped' ? '' : (url ?? ''),
    pid === undefined ? '' : String(pid),
  ]);
  const [heading = '', ...lines] = renderTable([['service', 'state', 'URL', 'pid'], ...rows])
    .trimEnd()
    .split('\n');
  const noted = lines.flatMap((line, index) => {
    const note = services[index]?.note;
    return note === undefined ? [line] : [line, `  ${shorten(note.replace(/\s+/g, ' '), columns - 2)}`];
  });
  return `${[heading, ...noted].join('\n')}\n`;
}

/** Prints what the last start spent its time on; asks no engine. */
function timeline(project: Project, format: 'text' | 'json', terminal: Terminal): void {
  const last = lastTimeline(project);
  if (last === undefined) {
    throw new PreflightError('no start of this stack has been timed', {
      hint: 'make up, then make status TIMELINE=1',
    });
  }
  if (format === 'json') terminal.out(`${JSON.stringify(last, null, 2)}\n`);
  else {
    terminal.out(renderTimeline(last, columnsOf(process.stdout)));
    terminal.err(`as an image: ${relative(process.cwd(), join(project.stateFolder, 'timeline.svg'))}\n`);
  }
}

/** All of them, or those of SERVICE: the app and its init container. */
function chosenStatuses(all: readonly ServiceStatus[], stack: Stack): readonly ServiceStatus[] {
  const wanted = environment['SERVICE'];
  if (wanted === undefined || wanted === '') return all;
  const chosen = all.filter(({ service }) => service === wanted || service === `${wanted}-migrations`);
  if (chosen.length === 0) throw noService(stack, wanted);
  return chosen;
}
