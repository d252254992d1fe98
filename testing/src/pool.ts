import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { TestingTemplate } from '@lockstep/migrations';
import { LibpqClient } from '@lockstep/postgres';
import { type Client, escapeIdentifier } from 'pg';
import { readUrl } from './url.ts';

/** Copies that are ready before anybody asks. */
const ready = 4;
/** Of the class of our advisory locks: says that a process still needs the copies of its name. */
const lockClass = 0x6c6f636b;

/**
 * Copies of one template, for one process: some are made beforehand, so that to take one costs nothing. Holds a lock on its name as long
 * as the process lives; whoever opens a pool drops the copies of names that nobody holds any more.
 */
export class ClonePool {
  readonly #template: TestingTemplate;
  readonly #client: Client;
  readonly #prefix: string;
  #count = 0;
  #free: Promise<string>[] = [];
  /** What is still to be sent: the server copies no faster when asked twice. */
  readonly #turns: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  private constructor(template: TestingTemplate, client: Client, run: string) {
    this.#template = template;
    this.#client = client;
    this.#prefix = `${template.database}__test_${run}`;
  }

  /** @param maintenanceUrl the owner's, of a database that is not copied */
  static async open(template: TestingTemplate, maintenanceUrl: string): Promise<ClonePool> {
    const parameters = readUrl(maintenanceUrl, 'the server for tests');
    const client = new LibpqClient(parameters, { application_name: 'lockstep testing' });
    client.on('error', () => {});
    await client.connect();
    const run = randomBytes(4).toString('hex');
    await client.query('select pg_advisory_lock($1, $2)', [lockClass, lockOf(run)]);
    const pool = new ClonePool(template, client, run);
    await pool.#sweep();
    pool.#fill();
    return pool;
  }

  /** The name of a copy that nobody had before. */
  async take(): Promise<string> {
    const next = this.#free.shift() ?? this.#copy();
    this.#fill();
    return next;
  }

  /** Drops a copy, once it is its turn; waits for that. */
  drop(name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#client.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
    }, true);
  }

  /** Drops every copy that is left, and ends. */
  async close(): Promise<void> {
    const free = this.#free.splice(0);
    const names = await Promise.allSettled(free);
    for (const one of names) if (one.status === 'fulfilled') await this.drop(one.value).catch(() => {});
    await this.#running;
    this.#hold(true);
    await this.#client.end().catch(() => {});
  }

  #fill(): void {
    while (this.#free.length < ready) {
      const copy = this.#copy();
      // Told to whoever takes it.
      copy.catch(() => {});
      this.#free.push(copy);
    }
  }

  #copy(): Promise<string> {
    this.#count += 1;
    const name = `${this.#prefix}_${this.#count}`;
    return this.#inTurn(async () => {
      for (const text of this.#template.copyTexts(name)) await this.#client.query(text);
      return name;
    });
  }

  /** One at a time; what is urgent before what is not. */
  #inTurn<T>(work: () => Promise<T>, urgent = false): Promise<T> {
    const turn = new Promise<T>((resolve, reject) => {
      const run = () => work().then(resolve, reject);
      if (urgent) this.#turns.unshift(run);
      else this.#turns.push(run);
    });
    this.#running ??= this.#takeTurns();
    return turn;
  }

  async #takeTurns(): Promise<void> {
    this.#hold(true);
    for (let next = this.#turns.shift(); next !== undefined; next = this.#turns.shift()) await next();
    this.#running = undefined;
    // A process whose tests are done has nothing to wait for here.
    this.#hold(false);
  }

  /** Whether the connection keeps the process alive. */
  #hold(holds: boolean): void {
    const { stream } = this.#client.connection;
    if (!(stream instanceof Socket)) return;
    if (holds) stream.ref();
    else stream.unref();
  }

  /** Drops what killed processes left: nobody holds the lock on its name. */
  async #sweep(): Promise<void> {
    const base = `${this.#template.database}__test_`;
    const { rows } = await this.#client.query<{ name: string }>(
      `select datname as name from pg_database where starts_with(datname, $1) and pg_has_role(current_user, datdba, 'USAGE')`,
      [base],
    );
    for (const { name } of rows) {
      const [, run] = /^([0-9a-f]{8})_\d+$/.exec(name.slice(base.length)) ?? [];
      if (run === undefined) continue;
      const lock = [lockClass, lockOf(run)];
      const { rows: answers } = await this.#client.query<{ free: boolean }>(
        'select pg_try_advisory_lock($1, $2) as free',
        lock,
      );
      if (answers[0]?.free !== true) continue;
      await this.#client
        .query(`drop database if exists ${escapeIdentifier(name)} with (force)`)
        .catch(() => {});
      // Our own name's lock is taken twice now, and given back once.
      await this.#client.query('select pg_advisory_unlock($1, $2)', lock);
    }
  }
}

function lockOf(run: string): number {
  return Number.parseInt(run, 16) | 0;
}
