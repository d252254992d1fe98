import { type Blockage, describeHolder, findBlockage, findProgress } from './holder.ts';
import type { Operation } from './operation.ts';
import { Session } from './session.ts';

/** A statement may wait this long before one asks what for. */
const patienceMilliseconds = 1000;
const pollMilliseconds = 500;
const answerMilliseconds = 150;
/** From here on a statement is told of, again each time twice as long has passed. */
const longMilliseconds = 5000;

/** Looks, on a connection of its own, at what a session waits for while it runs something long. */
export class BlockWatch {
  readonly #operation: Operation;
  readonly #watched: Session;
  #own: Promise<Session> | undefined;
  #told: number | undefined;
  #seen: Blockage | undefined;
  #startedAt = 0;
  #nextTelling = longMilliseconds;
  #name = () => '';

  constructor(operation: Operation, watched: Session) {
    this.#operation = operation;
    this.#watched = watched;
  }

  /** What the session waited for when last asked; undefined when it did not. */
  get seen(): Blockage | undefined {
    return this.#seen;
  }

  /** Runs `work`, and tells who holds a lock that it waits for, and how far it is when it takes long. */
  async during<T>(name: string | (() => string), work: () => Promise<T>): Promise<T> {
    this.#name = typeof name === 'string' ? () => name : name;
    this.#startedAt = performance.now();
    this.#nextTelling = longMilliseconds;
    this.#seen = undefined;
    this.#told = undefined;
    const state: { timer: NodeJS.Timeout | undefined } = { timer: undefined };
    const look = async () => {
      await this.look().catch(() => {});
      state.timer = state.timer && setTimeout(look, pollMilliseconds);
    };
    state.timer = setTimeout(look, patienceMilliseconds);
    try {
      return await work();
    } finally {
      clearTimeout(state.timer);
      state.timer = undefined;
    }
  }

  /** Asks now; keeps the last answer when Postgres gives none. */
  async look(): Promise<void> {
    const blockage = await findBlockage(await this.#connection(), this.#watched.processId);
    this.#seen = blockage;
    if (blockage === undefined) await this.#tellProgress();
    const [holder] = blockage?.holders ?? [];
    if (blockage === undefined || holder === undefined || holder.pid === this.#told) return;
    this.#told = holder.pid;
    this.#operation.log.info(`waiting for a lock on ${blockage.on}, held by ${describeHolder(holder)}`, {
      holder: holder.pid,
    });
  }

  async #tellProgress(): Promise<void> {
    const elapsed = performance.now() - this.#startedAt;
    if (elapsed < this.#nextTelling) return;
    this.#nextTelling *= 2;
    const progress = await findProgress(await this.#connection(), this.#watched.processId);
    const far = progress === undefined ? '' : `: ${progress}`;
    const seconds = Math.round(elapsed / 1000);
    this.#operation.log.info(`${this.#name()} has run for ${seconds} s${far}`, { seconds, progress });
  }

  async close(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    await own?.then((session) => session.close()).catch(() => {});
  }

  #connection(): Promise<Session> {
    const { settings, deadline, signal, log } = this.#operation;
    this.#own ??= Session.open({
      parameters: this.#watched.parameters,
      applicationName: `migrate ${settings.service ?? ''} (watch)`.replace('  ', ' '),
      remainingMilliseconds: deadline.remaining(),
      connectMilliseconds: Math.min(pollMilliseconds, deadline.remaining() + answerMilliseconds),
      signal,
      checkConnection: false,
      log,
    });
    // The next look may try a new connection.
    this.#own.catch(() => {
      this.#own = undefined;
    });
    return this.#own;
  }
}
