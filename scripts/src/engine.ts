import type { Checkout } from './checkout/checkout.ts';
import type { MadeFor, Traces } from './checkout/ownership.ts';
import type { Stack } from './compose/stack.ts';

export const engineNames = ['docker', 'podman', 'embedded'] as const;
export type EngineName = (typeof engineNames)[number];

/** What an engine says when asked whether it can run the stack. */
export interface Availability {
  readonly name: EngineName;
  readonly available: boolean;
  /** Its versions when it is there, else why not. */
  readonly reason: string;
}

/** One word for what a service is at, the same on every engine. */
export type ServiceState =
  | 'created'
  | 'starting'
  | 'running'
  | 'healthy'
  | 'unhealthy'
  | 'completed'
  | 'failed'
  | 'restarting'
  | 'stopping'
  | 'stopped';

/** Whether a server runs, well or not. */
export function isUp(state: ServiceState): boolean {
  return state === 'running' || state === 'starting' || state === 'healthy' || state === 'unhealthy';
}

export interface ServiceStatus {
  readonly service: string;
  readonly state: ServiceState;
  /** Exit status of the last run; 128 plus the signal's number when one ended it. */
  readonly exitStatus?: number;
  readonly url?: string;
  readonly pid?: number;
  /** From its start to ready, or to its end for a one-shot. */
  readonly seconds?: number;
  /** Why it is in this state, when the state alone does not say. */
  readonly note?: string;
}

/** How one service came out of an `up`. */
export interface Outcome extends ServiceStatus {
  readonly ok: boolean;
  /** False when it ran already and was left alone. */
  readonly changed: boolean;
  /** The services it waited for that did not get there. */
  readonly blockedBy?: readonly string[];
  /** The last lines of its own output, verbatim: of a failed service, and of an init container that ran. */
  readonly output?: readonly string[];
}

/** What happened while the stack started, as it happens. */
export type Progress =
  | { readonly kind: 'step'; readonly text: string }
  | { readonly kind: 'service'; readonly status: ServiceStatus };

export interface UpReport {
  readonly outcomes: readonly Outcome[];
  /** Seconds of what is not a service: the supervisor's start, pulling images. */
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
}

export interface LogOptions {
  readonly services: readonly string[];
  readonly follow: boolean;
  /** Lines of each service from the end; all when undefined. */
  readonly tail: number | undefined;
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
}

export interface RunOptions {
  readonly service: string;
  /** Replace the service's `command`. */
  readonly args: readonly string[];
  /** Returns what the program writes to stdout instead of passing it on. */
  readonly capture: boolean;
  /** Shows what the program writes to stderr only when it fails. */
  readonly quiet?: boolean;
}

/** How to connect to a service's database as one of its roles. */
export interface Connection {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Whose the containers and volumes of a stack's name are, where several checkouts share an engine. */
export interface StackOwner {
  /** What the engine has under the name. */
  traces(): Promise<Traces>;
  /**
   * Marks the stack as this checkout's, and removes containers that were made for another folder; volumes stay.
   *
   * @returns the checkout that claimed it first, when it was another one that did so at the same time
   */
  claim(
    checkout: Checkout & { readonly id: string },
    traces: Traces,
    stale: readonly MadeFor[],
  ): Promise<Traces['mark']>;
}

/**
 * Runs the stack. Every engine reads the same compose files and keeps the same promises: order, conditions, volumes that
 * outlive `down`.
 */
export interface Engine {
  readonly name: EngineName;
  /** How many captured {@link run}s are worth having under way at the same time; one when not set. */
  readonly runsAtOnce?: number;
  /** Undefined for an engine that keeps all of a stack in the project's own folder. */
  readonly owner?: StackOwner;
  /**
   * Gets what a start needs beside the project's files, such as images; an engine without it needs nothing.
   *
   * @throws {Failure} when this machine cannot run the stack on this engine as things stand; nothing was started
   */
  prepare?(report: (progress: Progress) => void, signal: AbortSignal): Promise<void>;
  /** Starts what is not running or changed, and waits until all is ready or can no longer become so. */
  up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport>;
  /** Stops everything; volumes stay. False when nothing ran. */
  down(report: (progress: Progress) => void): Promise<boolean>;
  /** Stops everything and deletes the stack's volumes; returns their names. */
  destroy(report: (progress: Progress) => void): Promise<readonly string[]>;
  status(): Promise<readonly ServiceStatus[]>;
  logs(options: LogOptions): Promise<void>;
  /** Runs a service once, in the foreground, with other arguments; returns its exit status. */
  run(options: RunOptions): Promise<{ readonly exitStatus: number; readonly stdout: string }>;
  /** Opens psql in the foreground; returns its exit status. */
  psql(connection: Connection, args: readonly string[]): Promise<number>;
  /**
   * Runs `words` where the service runs, in the foreground, or a shell when there are none; returns the exit status.
   *
   * In a container that must be running; on the embedded engine in the project's folder, with the service's environment.
   *
   * @throws {PreflightError} when the service does not run, or its image has no shell
   */
  shell(service: string, words: readonly string[]): Promise<number>;
}

/** Creates an engine for a stack that was read. */
export type EngineFactory = (stack: Stack) => Engine;
