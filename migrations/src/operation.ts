import { Deadline, Failure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import type { ConnectionParameters } from '@lockstep/postgres';
import { DatabaseError } from 'pg';
import type { Settings } from './config.ts';
import { connect, isWrongPassword } from './connect.ts';
import { type ConnectionResolver, resolveConnection } from './connection.ts';
import {
  ConnectionLostError,
  DatabaseUnreachableError,
  DeadlinePassedError,
  describeDuration,
  describePhases,
  InterruptedError,
  ServerError,
  withEvidence,
} from './errors.ts';
import type { FileWarning } from './files/file-warning.ts';
import { tellWarnings } from './files/tell-warnings.ts';
import { loadLayout } from './load.ts';
import { placesOf } from './load-scripts.ts';
import type { Migration } from './migration.ts';
import { type Session, SessionLostError } from './session.ts';

/** What a caller may pass besides settings. */
export interface Hooks {
  /** Progress; silent when absent. */
  readonly log?: Log;
  /** Interrupts: what runs is cancelled and rolled back. A reason that is an {@link InterruptedError} is thrown as it is. */
  readonly signal?: AbortSignal;
  /**
   * Called once a run is about to change something, with the version it leads to. What it throws ends the run, and nothing was
   * changed.
   */
  readonly onBegin?: (version: string | undefined) => Promise<void>;
  /** Whether somebody wants to know which tables a run changed; that is read from the catalogs. */
  readonly wantsTables?: boolean;
  /** The migrations, when they are read already: a run for each of many databases reads no file. */
  readonly migrations?: readonly Migration[];
}

/** What every part of one command shares: settings, the one deadline, the log, the way to Postgres. */
export interface Operation {
  readonly settings: Settings;
  readonly deadline: Deadline;
  readonly log: Log;
  /** Aborts at the deadline or when interrupted; the reason tells which. */
  readonly signal: AbortSignal;
  /** Opens a session, in another database than the configured one when given. */
  connect(database?: string): Promise<Session>;
  /** Opens a session somewhere else, such as the server for scratch databases. */
  connectTo(parameters: ConnectionParameters): Promise<Session>;
  /** Must be called before anything is changed; see {@link Hooks.onBegin}. */
  begins(version: bigint | undefined): Promise<void>;
  readonly wantsTables: boolean;
  /** Reads the migrations of the settings' folder in their layout. */
  load(): Promise<readonly Migration[]>;
  /** The places of the files by name, as far as they were read; undefined in the layout versioned. */
  readonly scripts: ReadonlyMap<string, bigint> | undefined;
  /** The versions of the files; undefined until they were read. */
  readonly versions: ReadonlySet<bigint> | undefined;
  /** Called shortly before the deadline, while there is still time to ask Postgres. */
  onLastMoment(look: (() => Promise<void>) | undefined): void;
  /** How a user calls `command` for this service: `make db-migrate-up SERVICE=services-api`. */
  command(name: 'up' | 'status' | 'undo' | 'recreate'): string;
}

/** Why the operation's signal aborted when nobody interrupted. */
export class DeadlineMark extends Error {
  constructor() {
    super('the deadline passed');
    this.name = 'DeadlineMark';
  }
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** With more than this share of the timeout left, time was not the trouble. */
const spareShare = 0.2;
/** Kept before the deadline, to see what the running statement waits for before it is cancelled. */
const lastMomentMilliseconds = 200;

/**
 * Runs `work` within the settings' timeout and under the caller's signal.
 *
 * @throws {Failure} always one; where the deadline had passed, with the time each phase took
 */
export async function operate<T>(
  settings: Settings,
  hooks: Hooks,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(settings.strategy.timeoutMilliseconds);
  const stop = new AbortController();
  let lastLook: (() => Promise<void>) | undefined;
  let versions: ReadonlySet<bigint> | undefined;
  let scripts: ReadonlyMap<string, bigint> | undefined =
    settings.layout === 'alphabetical' ? new Map() : undefined;
  const lastMoment = setTimeout(
    () => void lastLook?.().catch(() => {}),
    Math.max(1, deadline.remaining() - lastMomentMilliseconds),
  );
  const end = setTimeout(() => stop.abort(new DeadlineMark()), Math.ceil(deadline.remaining()) + 1);
  const interrupt = () => stop.abort(interruption(hooks.signal?.reason));
  hooks.signal?.addEventListener('abort', interrupt, { once: true });
  if (hooks.signal?.aborted) interrupt();
  const log = hooks.log ?? silent;
  const resolver = resolveConnection(settings.connection, { deadline, log, signal: hooks.signal });
  try {
    return await work({
      settings,
      deadline,
      log,
      signal: stop.signal,
      connect: (database) =>
        connectOnce(settings, resolver, { deadline, log, signal: stop.signal }, database),
      connectTo: (parameters) => {
        const wait = { deadline, log, signal: stop.signal };
        return deadline.during('database', () =>
          connect({ ...wait, parameters, applicationName: applicationNameOf(settings) }),
        );
      },
      begins: async (version) => {
        if (settings.windows.length > 0) {
          const { requireWindow } = await import('./environments/require-window.ts');
          requireWindow(settings, log);
        }
        await hooks.onBegin?.(version === undefined || version < 0n ? undefined : String(version));
      },
      wantsTables: hooks.wantsTables === true,
      load: async () => {
        const { path, layout, environment } = settings;
        const warn = (warnings: readonly FileWarning[]) => tellWarnings(log, warnings);
        const migrations = hooks.migrations ?? (await loadLayout(path, layout, environment, warn));
        if (settings.layout === 'alphabetical') scripts = placesOf(migrations);
        versions = new Set(migrations.map(({ version }) => version));
        return migrations;
      },
      get versions() {
        return versions;
      },
      get scripts() {
        return scripts;
      },
      onLastMoment: (look) => {
        lastLook = look;
      },
      command: (name) => commandFor(settings.service, name),
    });
  } catch (error) {
    throw settle(error, settings, deadline, stop.signal);
  } finally {
    clearTimeout(lastMoment);
    clearTimeout(end);
    hooks.signal?.removeEventListener('abort', interrupt);
    // Whoever still waits, such as a connection that is no longer needed, stops waiting.
    stop.abort(new InterruptedError('the end of the run'));
  }
}

/** Connects by what the resolver says; a password that Vault changed meanwhile is read once more. */
async function connectOnce(
  settings: Settings,
  resolver: ConnectionResolver,
  wait: { deadline: Deadline; log: Log; signal: AbortSignal },
  database: string | undefined,
): Promise<Session> {
  const applicationName = applicationNameOf(settings);
  const open = async () => {
    const parameters = resolver.asksVault
      ? await wait.deadline.during('vault', () => resolver.read())
      : await resolver.read();
    const target = database === undefined ? parameters : { ...parameters, database };
    return wait.deadline.during('database', () => connect({ ...wait, parameters: target, applicationName }));
  };
  try {
    return await open();
  } catch (error) {
    if (!isWrongPassword(error) || !resolver.forget()) throw error;
    wait.log.info('the password from Vault is wrong; reading it again');
    return open();
  }
}

/** How a connection of this operation calls itself. */
export function applicationNameOf({ service }: Settings): string {
  return service === undefined ? 'migrate' : `migrate ${service}`;
}

function commandFor(service: string | undefined, name: 'up' | 'status' | 'undo' | 'recreate'): string {
  if (service === undefined) return `migrate ${name}`;
  const target = {
    up: 'db-migrate-up',
    status: 'db-migrate-status',
    undo: 'db-undo',
    recreate: 'db-recreate',
  };
  return `make ${target[name]} SERVICE=${service}`;
}

function interruption(reason: unknown): InterruptedError {
  return reason instanceof InterruptedError ? reason : new InterruptedError('the caller');
}

/** Makes a {@link Failure} of whatever ended the work, and adds where the time went when most of it was spent. */
function settle(error: unknown, settings: Settings, deadline: Deadline, signal: AbortSignal): unknown {
  const failure = toExpected(error, settings, deadline, signal);
  if (!(failure instanceof Failure) || failure.exitStatus === 2) return failure;
  if (deadline.remaining() > deadline.timeoutMilliseconds * spareShare) return failure;
  return withEvidence(failure, `time: ${describePhases(deadline.phases())}`);
}

function toExpected(error: unknown, settings: Settings, deadline: Deadline, signal: AbortSignal): unknown {
  const timeout = describeDuration(settings.strategy.timeoutMilliseconds);
  const migrating = deadline.phases().some(({ phase }) => phase === 'sql');
  // A server that was there when the run began: what it now lacks is time, not a server to begin with.
  if (error instanceof DatabaseUnreachableError && deadline.passed && migrating) {
    const fact = `Postgres at ${error.address} no longer answered, and the ${timeout} had passed`;
    return new DeadlinePassedError(fact, error.evidence, undefined, error);
  }
  if (error instanceof Failure) return error;
  if (signal.reason instanceof InterruptedError) return signal.reason;
  const evidence = error instanceof Error && !(error instanceof DeadlineMark) ? [error.message] : [];
  if (deadline.passed) {
    if (migrating) return new DeadlinePassedError(`the ${timeout} had passed`, evidence, undefined, error);
    const address =
      settings.connection.kind === 'given' ? settings.connection.parameters.host : 'the address in Vault';
    return new DatabaseUnreachableError(address, timeout, evidence[0] ?? 'no answer', error);
  }
  if (error instanceof SessionLostError) {
    return new ConnectionLostError('the connection to Postgres was lost', evidence, error);
  }
  if (error instanceof DatabaseError) {
    const remarks = [error.detail, error.hint].filter((line) => line !== undefined);
    return new ServerError(`${error.message} (${error.code})`, remarks, error);
  }
  return error;
}
