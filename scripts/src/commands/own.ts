import { establishCheckout, readCheckout } from '../checkout/checkout.ts';
import { judgeOwnership, type MadeFor, type Ownership, type Traces } from '../checkout/ownership.ts';
import type { Engine, StackOwner } from '../engine.ts';
import { projectName } from '../env-file.ts';
import { environment } from '../environment.ts';
import { ForeignStackError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { canAsk, confirm } from './confirm.ts';
import type { Terminal } from './context.ts';

/**
 * Makes sure that the stack of this name is this checkout's before a command starts, changes or deletes anything of it. With
 * another folder's a person is asked; ADOPT=1 says yes beforehand, and so does YES=1 when the other folder is gone.
 *
 * @returns what writes it down; it throws the same when another checkout did so meanwhile
 * @throws {ForeignStackError} when it is not, and nobody says that it shall be
 */
export async function requireOwn(
  engine: Engine,
  opened: OpenedStack,
  terminal: Terminal | undefined,
): Promise<Claim> {
  const { owner } = engine;
  if (owner === undefined) return async () => undefined;
  const { traces, ownership } = await lookAtOwner(owner, opened);
  const claim = async (before: Traces, stale: readonly MadeFor[]) => {
    const first = await owner.claim(establishCheckout(opened.project), before, stale);
    if (first === undefined) return;
    throw refuse(engine, opened, { kind: 'other', folder: first.folder, isThere: true }, traces);
  };
  if (ownership.kind !== 'other' && ownership.kind !== 'unknown')
    return () => claim(traces, ownership.kind === 'ours' ? ownership.stale : []);
  const refusal = refuse(engine, opened, ownership, traces);
  if (!(await mayTakeOver(ownership, refusal, terminal))) throw refusal;
  await claim(traces, traces.containers);
  terminal?.err(`${opened.stack.name} on ${engine.name} is this folder's from now on\n`);
  return async () => undefined;
}

/** Writes down that the stack is this checkout's; to be called before its first container is made. */
export type Claim = () => Promise<void>;

/** A line when the stack that the engine has under this name is not this checkout's; for commands that only look. */
export async function ownerLine(engine: Engine, opened: OpenedStack): Promise<string | undefined> {
  if (engine.owner === undefined) return undefined;
  const { ownership } = await lookAtOwner(engine.owner, opened);
  return ownership.kind === 'other' ? `it belongs to ${ownership.folder}` : undefined;
}

async function lookAtOwner(owner: StackOwner, { project, stack }: OpenedStack) {
  const traces = await owner.traces();
  const isOwnName = stack.name === projectName(project.root);
  return { traces, ownership: judgeOwnership(traces, readCheckout(project), isOwnName) };
}

type Foreign = Extract<Ownership, { kind: 'other' | 'unknown' }>;

async function mayTakeOver(
  ownership: Foreign,
  refusal: ForeignStackError,
  terminal: Terminal | undefined,
): Promise<boolean> {
  if (environment['ADOPT'] === '1') return true;
  const isAbandoned = ownership.kind === 'unknown' || !ownership.isThere;
  if (isAbandoned && environment['YES'] === '1') return true;
  if (terminal === undefined || !canAsk()) return false;
  terminal.err([refusal.message, ...refusal.evidence.map((line) => `  ${line}`), ''].join('\n'));
  return confirm('Take it over, with its databases?', terminal);
}

function refuse(
  { name: engine }: Engine,
  { project: { root }, stack: { name } }: OpenedStack,
  ownership: Foreign,
  { volumes }: Traces,
): ForeignStackError {
  const evidence =
    volumes.length === 0 ? [] : [`its volumes: ${volumes.map((one) => shortly(one, name)).join(', ')}`];
  const ownName = `COMPOSE_PROJECT_NAME=${projectName(root)} in .env, for a stack of this folder's own`;
  if (ownership.kind === 'unknown') {
    const fact = `nothing says whose the volumes of ${name} on ${engine} are`;
    return new ForeignStackError(
      fact,
      [...evidence, 'if they are this folder’s: the same command with YES=1'],
      ownName,
    );
  }
  const { folder, isThere } = ownership;
  const fact = `the stack ${name} on ${engine} belongs to another folder`;
  const where = [`its folder:  ${folder}`, `this folder: ${root}`, ...evidence];
  if (!isThere) {
    const moved = 'its folder is not there any more; if it was renamed to this one: YES=1';
    return new ForeignStackError(fact, [...where, moved], ownName);
  }
  return new ForeignStackError(fact, [...where, 'to take it over all the same: ADOPT=1'], ownName);
}

function shortly(volume: string, project: string): string {
  return volume.startsWith(`${project}_`) ? volume.slice(project.length + 1) : volume;
}
