import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count, toFailure } from '@lockstep/foundation';
import { forgetGiven, keepGiven } from '../checkout/given-settings.ts';
import { askEngines, chooseEngine, forgetEngine, recordEngine, recordedEngine } from '../choose.ts';
import { initContainers, isOneShot, type Stack } from '../compose/stack.ts';
import {
  type Availability,
  type Engine,
  type EngineName,
  isUp,
  type Outcome,
  type Progress,
  type UpReport,
} from '../engine.ts';
import { Interrupted, PreflightError, ServiceFailed } from '../errors.ts';
import { keepFailures } from '../failures.ts';
import { type OpenedStack, prepareStack } from '../prepare.ts';
import { describeOutcome, openProgress, silentProgress } from '../progress.ts';
import { columnsOf, renderTable, wrapParts } from '../table.ts';
import { inSequence, keepTimeline, TimelineRecorder } from '../timeline.ts';
import {
  chosenMigrations,
  exclusively,
  type GlobalOptions,
  passedOverLine,
  recalledProject,
  refuseService,
  type Terminal,
} from './context.ts';
import { type Claim, requireOwn } from './own.ts';

/** Of more services than this the last lines name only some. */
const mostTold = 10;

/**
 * Starts the stack and waits until it is ready; see `stack up --help`.
 *
 * @param way since when it is counted, in milliseconds of this process's life, what was done until now, and whether only what
 *   changed is told, in a line
 */
export async function up(
  options: GlobalOptions,
  terminal: Terminal,
  {
    since = 0,
    before = 'node',
    isBrief = false,
  }: { readonly since?: number; readonly before?: string; readonly isBrief?: boolean } = {},
): Promise<void> {
  refuseService('up');
  // Counted from the start of the process, as a person with a watch would.
  const from = performance.now();
  const { project, recalled } = recalledProject(options);
  const opened = await prepareStack(project, (sentence) => terminal.err(`${sentence}\n`));
  if (recalled.length > 0)
    terminal.err(`as the running stack was given: ${recalled.join(' ')} (until make down)\n`);
  for (const warning of opened.warnings) terminal.err(`warning: ${warning}\n`);
  const prepared = performance.now();
  const { engine, claim } = await choosePrepared(options.engine, opened, terminal);
  const chosen = performance.now();
  await refuseSecondEngine(engine, opened);
  const recorder = new TimelineRecorder(() => (performance.now() - since) / 1000);
  const report = await exclusively(opened, engine, terminal, async () => {
    await claim();
    return start(engine, opened, terminal, { recorder, isBrief });
  });
  const started = performance.now();
  const seeding = await seedWhereWanted(engine, opened, report, terminal);
  const first = [
    { name: before, seconds: (from - since) / 1000 },
    { name: 'files', seconds: (prepared - from) / 1000 },
    { name: 'engine', seconds: (chosen - prepared) / 1000 },
  ];
  const services = recorder.spans(report.outcomes, opened.stack);
  if (services.length > 0) {
    keepTimeline(opened.project, {
      engine: engine.name,
      at: new Date(Date.now() - (performance.now() - since)).toISOString(),
      seconds: (started - since) / 1000,
      before: inSequence(first),
      services,
    });
  }
  const steps = [
    ...first,
    ...report.steps,
    ...(seeding ? [{ name: 'seeds', seconds: (performance.now() - started) / 1000 }] : []),
  ];
  const seconds = (performance.now() - since) / 1000;
  if (isBrief) finishBriefly(opened, engine, report, seconds, terminal);
  else finish(opened, engine, { ...report, steps }, seconds, terminal);
}

/**
 * With SEED=1 each service that has seeds gets them once its migrations are there; true when any was seeded.
 *
 * @throws {PreflightError} naming the service whose seeds could not be loaded
 */
async function seedWhereWanted(
  engine: Engine,
  opened: OpenedStack,
  { outcomes }: UpReport,
  terminal: Terminal,
): Promise<boolean> {
  if (opened.setting('SEED') !== '1' || outcomes.some(({ ok }) => !ok)) return false;
  const seeded = chosenMigrations(opened.stack, undefined).filter(({ service }) =>
    existsSync(join(opened.project.root, service, 'migrations', 'seeds')),
  );
  for (const { service, initContainer } of seeded) {
    if (terminal.signal.aborted) throw interrupted(engine, terminal);
    const { exitStatus } = await engine.run({ service: initContainer, args: ['seed'], capture: false });
    if (exitStatus !== 0) {
      throw new PreflightError(`the seeds of ${service} could not be loaded`, {
        hint: `fix them, then run make db-seed SERVICE=${service}`,
      });
    }
  }
  return seeded.length > 0;
}

/**
 * Chooses the engine and gets what it needs. With `auto` and nothing running yet, one that turns out to lack something
 * (images that can be neither found nor pulled nor built) is passed over for the next, which is said in one line.
 */
async function choosePrepared(
  wanted: EngineName | 'auto',
  opened: OpenedStack,
  terminal: Terminal,
): Promise<{ engine: Engine; claim: Claim }> {
  const report = (progress: Progress) => {
    if (progress.kind === 'step') terminal.err(`${progress.text}\n`);
  };
  const mayPassOver = wanted === 'auto' && recordedEngine(opened.project) === undefined;
  const tried: Availability[] = [];
  for (;;) {
    const { engine, passedOver } = await chooseEngine(wanted, opened, tried);
    const claim = await requireOwn(engine, opened, terminal);
    try {
      await engine.prepare?.(report, terminal.signal);
    } catch (error) {
      if (!mayPassOver || error instanceof Interrupted) throw error;
      tried.push({ name: engine.name, available: false, reason: inOneLine(error) });
      continue;
    }
    const line = passedOverLine(engine.name, passedOver);
    if (line !== undefined) terminal.err(line);
    return { engine, claim };
  }
}

function inOneLine(error: unknown): string {
  const { message, hint } = toFailure(error);
  return hint === undefined ? message : `${message}; try: ${hint}`;
}

/** @throws {PreflightError} when another engine runs this stack: its ports and names would collide, and it be forgotten */
async function refuseSecondEngine(engine: Engine, opened: OpenedStack): Promise<void> {
  const recorded = recordedEngine(opened.project);
  if (recorded === undefined || recorded === engine.name) return;
  const [candidate] = await askEngines([recorded]);
  if (candidate?.availability.available !== true) return;
  if (await nothingRuns(await candidate.make(opened))) return;
  throw new PreflightError(`the stack runs on ${recorded}`, {
    hint: `make down, then make up ENGINE=${engine.name}`,
  });
}

async function start(
  engine: Engine,
  { stack, project }: OpenedStack,
  terminal: Terminal,
  { recorder, isBrief }: { readonly recorder: TimelineRecorder; readonly isBrief: boolean },
): Promise<UpReport> {
  // Before the start: what an interrupted `up` leaves must be found by `status` and `down`.
  const before = recordedEngine(project);
  recordEngine(project, engine.name);
  keepGiven(project, stack);
  const view = isBrief ? silentProgress : await openProgress([...stack.services.keys()], process.stderr);
  try {
    const report = await engine.up((progress) => {
      recorder.see(progress);
      view.report(progress);
    }, terminal.signal);
    await view.finish(report.outcomes);
    return report;
  } catch (error) {
    await view.finish([]);
    if (before !== undefined) recordEngine(project, before);
    else if (await nothingRuns(engine)) {
      forgetEngine(project);
      forgetGiven(project);
    }
    throw terminal.signal.aborted ? interrupted(engine, terminal) : error;
  }
}

async function nothingRuns(engine: Engine): Promise<boolean> {
  try {
    return (await engine.status()).every(({ state }) => state === 'stopped');
  } catch {
    return false;
  }
}

function finish(
  { stack, project }: OpenedStack,
  engine: Engine,
  { outcomes, steps }: UpReport,
  seconds: number,
  terminal: Terminal,
): void {
  if (terminal.signal.aborted) throw interrupted(engine, terminal);
  terminal.out(closingTable(outcomes));
  try {
    keepFailures(project, engine.name, outcomes);
  } catch (error) {
    // On a full disk what failed is still to be said here.
    terminal.err(`warning: ${toFailure(error).message}\n`);
  }
  const failed = outcomes.filter(({ ok }) => !ok);
  terminal.err(warnings(outcomes));
  terminal.out(
    databaseLines(
      outcomes,
      initContainers(stack).map(({ initContainer }) => initContainer),
    ),
  );
  if (failed.length > 0) throw failure(failed);
  terminal.out(connectLines(stack));
  terminal.err(timings(outcomes, steps, seconds, engine.name));
}

/** For `watch`: what became of the databases, which apps were replaced, and how long it took, in a line; a failure in full. */
function finishBriefly(
  { stack, project }: OpenedStack,
  engine: Engine,
  { outcomes }: UpReport,
  seconds: number,
  terminal: Terminal,
): void {
  if (terminal.signal.aborted) throw interrupted(engine, terminal);
  keepFailures(project, engine.name, outcomes);
  terminal.err(warnings(outcomes));
  const failed = outcomes.filter(({ ok }) => !ok);
  if (failed.length > 0) throw failure(failed);
  const own = initContainers(stack).map(({ initContainer }) => initContainer);
  const databases = reportsOf(outcomes, own).filter(([line = '']) => !nothingToDo.test(line));
  const replaced = outcomes.filter(({ service, changed }) => changed && !isOneShot(stack, service));
  const news = [
    ...databases.map(([line = '']) => line),
    ...replaced.map(({ service }) => `${service} replaced`),
  ];
  const first = `  ready in ${seconds.toFixed(1)} s${news.length > 0 ? ': ' : ''}`;
  terminal.err(`${wrapParts(first, news, ' · ', columnsOf(process.stderr))}\n`);
}

function interrupted({ name }: Engine, { signal }: Terminal): Interrupted {
  const reason: unknown = signal.reason;
  const left =
    name === 'embedded'
      ? 'what was ready runs on; what was not yet ready was stopped'
      : 'what was started runs on; nothing more is';
  return new Interrupted(reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT', [left, 'make status shows it']);
}

/** What a one-shot that went well has to say to a person all the same. */
function warnings(outcomes: readonly Outcome[]): string {
  return outcomes
    .flatMap(({ service, ok, output = [] }) => {
      const told = ok ? paragraphs(output).filter(([line = '']) => line.startsWith('warn: ')) : [];
      return told.length === 0 ? [] : [`${service}:`, ...told.flat().map((line) => `  ${line}`)];
    })
    .map((line) => `${line}\n`)
    .join('');
}

const nothingToDo = /, nothing to do$/;

/**
 * What became of each database, as its migrator's report says it: the last paragraph of what the init container printed, which is
 * its result on every engine. Of many services that had nothing to do only the number is told.
 */
export function databaseLines(outcomes: readonly Outcome[], own: readonly string[]): string {
  const reports = reportsOf(outcomes, own);
  const rested = reports.filter(([line = '']) => nothingToDo.test(line));
  const shown = reports.length > mostTold ? reports.filter((one) => !rested.includes(one)) : reports;
  const others = reports.length - shown.length;
  const lines = [...shown.flat(), ...(others > 0 ? [`${count(others, 'database')}: nothing to do`] : [])];
  return lines.map((line) => `${line}\n`).join('');
}

function reportsOf(outcomes: readonly Outcome[], own: readonly string[]): string[][] {
  return outcomes
    .filter(({ service, ok }) => own.includes(service) && ok)
    .flatMap(({ output = [] }) => paragraphs(output).slice(-1));
}

/** Each line that is not indented, with the indented ones under it. */
function paragraphs(output: readonly string[]): string[][] {
  const all: string[][] = [];
  for (const line of output.filter((one) => one.trim() !== '')) {
    const last = all.at(-1);
    if (last !== undefined && /^\s/.test(line)) last.push(line);
    else all.push([line]);
  }
  return all;
}

function closingTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.service,
    stateWord(outcome),
    outcome.state === 'healthy' || outcome.state === 'running' ? (outcome.url ?? '') : '',
    outcome.changed && outcome.seconds !== undefined ? outcome.seconds.toFixed(1) : '',
  ]);
  return `\n${renderTable([['service', 'state', 'URL', 'seconds'], ...rows])}\n`;
}

/** Of one that did not get its turn, the state is that of an earlier run. */
function stateWord({ state, blockedBy = [] }: Outcome): string {
  return blockedBy.length > 0 && !isUp(state) ? 'not started' : state;
}

function connectLines(stack: Stack): string {
  const services = initContainers(stack).map(({ service }) => service);
  const [first] = services;
  if (services.length > mostTold && first !== undefined) {
    return `psql to one of ${services.length} services: make psql SERVICE=${first}\n`;
  }
  return services.map((service) => `psql to ${service}: make psql SERVICE=${service}\n`).join('');
}

/**
 * What a start spent its time on: its own steps, then each service that was started, or of many the slowest; those ran in part at the
 * same time.
 */
function timings(
  outcomes: readonly Outcome[],
  steps: UpReport['steps'],
  seconds: number,
  engine: string,
): string {
  const started = outcomes
    .filter(({ changed }) => changed)
    .map(({ service, seconds: own }) => ({ name: service, seconds: own ?? 0 }));
  const slowest = started.toSorted((one, other) => other.seconds - one.seconds).slice(0, mostTold);
  const shown = [...steps, ...started.filter((one) => slowest.includes(one))]
    .filter((one) => one.seconds >= 0.005)
    .map((one) => `${one.name} ${one.seconds.toFixed(2)}`);
  const others = started.length - slowest.length;
  if (others > 0) shown.push(`${others} others, less each (make status TIMELINE=1)`);
  const first = `ready in ${seconds.toFixed(1)} s on ${engine}: `;
  return `${wrapParts(first, shown, ' · ', columnsOf(process.stderr))}\n`;
}

/** What failed, each in its own words; then what stays down because of it. */
function failure(failed: readonly Outcome[]): ServiceFailed {
  const roots = failed.filter(({ blockedBy }) => (blockedBy ?? []).length === 0);
  const names = roots.map(({ service }) => service);
  const evidence = roots.flatMap((outcome) => [
    `${outcome.service}: ${describeOutcome(outcome)}`,
    ...(outcome.output ?? []).map((line) => `  ${line}`),
  ]);
  const blocked = failed.filter(({ blockedBy }) => (blockedBy ?? []).length > 0);
  evidence.push(...blocked.map((outcome) => `${outcome.service}: ${describeOutcome(outcome)}`));
  const [first] = names;
  return new ServiceFailed(
    `${names.join(', ')} did not become ready`,
    evidence,
    first === undefined ? undefined : `make why SERVICE=${first} shows this again; fix it, then run make up`,
  );
}
