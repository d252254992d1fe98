import { type Blockage, describeHolder, findBlockage } from './holder.ts';
import type { Operation } from './operation.ts';
import { Session } from './session.ts';

/** A statement may wait this long before one asks what for. */
const patienceMilliseconds = 1000;
const pollMilliseconds = 500;
const answerMilliseconds = 150;

/** Looks, on a connection of its own, at what a session waits for while it runs something long. */
export class BlockWatch {
  readonly #operation: Operation;
  readonly #watched: Session;
  #own: Promise<Session> | undefined;
  #told: number | undefined;
  #seen: Blockage | undefined;

  constructor(operation: Operation, watched: Session) {
    this.#operation = operation;
    this.#watched = watched;
  }

  /** What the session waited for when last asked; undefined when it did not. */
  get seen(): Blockage | undefined {
    return this.#seen;
  }

  /** Runs `work`, and tells who holds a lock that it waits for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
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
    const [holder] = blockage?.holders ?? [];
    if (blockage === undefined || holder === undefined || holder.pid === this.#told) return;
    this.#told = holder.pid;
    this.#operation.log.info(`waiting for a lock on ${blockage.on}, held by ${describeHolder(holder)}`, {
      holder: holder.pid,
    });
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
