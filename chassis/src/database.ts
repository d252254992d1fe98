import { Deadline } from '@lockstep/foundation';
import { type ConnectionParameters, LibpqClient, parseConnectionString } from '@lockstep/postgres';
import { type ClientConfig, Pool, type PoolClient } from 'pg';
import { connectionFailure, isLoginRefusal, isSwap, statementError } from './connection-loss.ts';
import { ConnectionStringError, DatabaseUnreachableError } from './errors.ts';
import { within } from './within.ts';

/** What runs SQL: the database itself (one statement, any connection) or one transaction. */
export interface Queryable {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>;
}

/** How a {@link Database} connects. */
export interface DatabaseOptions {
  /** Shown in pg_stat_activity, and there read by the migrator: `services-api needs 15`. */
  readonly application: string;
  /** Reads the connection string; called again when the server refuses the login (28P01). */
  readonly connectionString: (deadline: Deadline) => Promise<string>;
  /** Told about connections that broke while idle, and about renewed credentials. */
  readonly onEvent?: (event: string, error?: Error) => void;
  /** How long one statement may run on the server; default 5 s. */
  readonly statementTimeoutMilliseconds?: number;
}

const connectTimeoutMilliseconds = 5_000;
/** A recreate or undo swaps two databases by name in one transaction, and ends the sessions that stand in its way. */
const swapMilliseconds = 1_000;
/** Between two re-reads of the credentials that brought nothing new, so that a flood of requests spares Vault. */
const renewalPauseMilliseconds = 1_000;

/**
 * A pool of connections that outlives restarts of Postgres and new credentials.
 *
 * When the server refuses the login (28P01) the connection string is read once more, by one request for all that
 * wait, and the connection is tried again with what it says. Connections already open are kept.
 */
export class Database implements Queryable {
  readonly #options: DatabaseOptions;
  readonly #pool: Pool;
  #connectionString: string | undefined;
  #renewal: Promise<boolean> | undefined;
  #noRenewalBefore = 0;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    // The pool makes its clients itself; this one takes the credentials of the moment, not those of the pool's birth.
    const current = () => parametersOf(this.#connectionString ?? '');
    class CurrentClient extends LibpqClient {
      constructor(config: ClientConfig = {}) {
        super(current(), config);
      }
    }
    const statementTimeout = options.statementTimeoutMilliseconds ?? 5_000;
    this.#pool = new Pool({
      Client: CurrentClient,
      application_name: options.application,
      max: 10,
      connectionTimeoutMillis: connectTimeoutMilliseconds,
      idleTimeoutMillis: 30_000,
      statement_timeout: statementTimeout,
      // The server's own limit comes first; this one is for a server that no longer answers at all.
      query_timeout: statementTimeout + 3_000,
      idle_in_transaction_session_timeout: 10_000,
    });
    this.#pool.on('error', (error) => options.onEvent?.('a connection broke', error));
    // A checked-out client without a listener would end the app when its connection breaks between two statements.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * Reads the connection string and waits until the database answers a query.
   *
   * @param onWait told why, once for each different reason
   * @throws {DatabaseUnreachableError} when `deadline` passes; {@link DatabaseRefusedError} at once
   */
  async open(deadline: Deadline, onWait?: (reason: string) => void): Promise<void> {
    this.#connectionString = await this.#options.connectionString(deadline);
    let told = '';
    for (;;) {
      try {
        await within(deadline.remaining(), this.query('select 1'));
        return;
      } catch (error) {
        if (!(error instanceof DatabaseUnreachableError)) throw error;
        const reason = error.evidence.join(', ');
        if (deadline.passed) {
          const waitedMilliseconds = deadline.timeoutMilliseconds;
          throw new DatabaseUnreachableError(reason, { waitedMilliseconds, cause: error.cause });
        }
        if (reason !== told) onWait?.(reason);
        told = reason;
        await deadline.sleep(100);
      }
    }
  }

  async query<Row extends object>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }> {
    return await this.#withClient((client) => run<Row>(client, text, values));
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return await this.#withClient(async (client) => {
      await run(client, 'begin');
      try {
        const result = await work({ query: (text, values) => run(client, text, values) });
        await run(client, 'commit');
        return result;
      } catch (error) {
        // A failed rollback means the connection is gone, and the transaction with it; the first error must win.
        await run(client, 'rollback').catch(() => {});
        throw error;
      }
    });
  }

  /** Closes every connection; waits for those in use. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = error instanceof DatabaseUnreachableError;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    const used = this.#connectionString;
    try {
      return await this.#connectThroughSwap();
    } catch (error) {
      if (!isLoginRefusal(error) || !(await this.#renew(used))) throw connectionFailure(error);
    }
    try {
      return await this.#connectThroughSwap();
    } catch (error) {
      throw connectionFailure(error);
    }
  }

  /** Tries again while the database may be changing its name, at most {@link swapMilliseconds}. Nothing was sent yet. */
  async #connectThroughSwap(): Promise<PoolClient> {
    for (const startedAt = performance.now(); ; ) {
      try {
        return await this.#pool.connect();
      } catch (error) {
        if (!isSwap(error) || performance.now() - startedAt > swapMilliseconds) throw error;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    }
  }

  /** True when there are other credentials to try than `refused`. */
  async #renew(refused: string | undefined): Promise<boolean> {
    if (this.#connectionString !== refused) return true;
    if (this.#renewal === undefined) {
      if (performance.now() < this.#noRenewalBefore) return false;
      this.#renewal = this.#readAgain().finally(() => {
        this.#renewal = undefined;
      });
    }
    return await this.#renewal;
  }

  async #readAgain(): Promise<boolean> {
    const before = this.#connectionString;
    try {
      this.#connectionString = await this.#options.connectionString(new Deadline(connectTimeoutMilliseconds));
    } catch (error) {
      this.#options.onEvent?.('the credentials could not be read again', error as Error);
    }
    const renewed = this.#connectionString !== before;
    if (renewed) this.#options.onEvent?.('the credentials were renewed');
    else this.#noRenewalBefore = performance.now() + renewalPauseMilliseconds;
    return renewed;
  }
}

function parametersOf(text: string): ConnectionParameters {
  const parameters = parseConnectionString(text);
  if ('rule' in parameters) throw new ConnectionStringError('its source', parameters.rule);
  return parameters;
}

async function run<Row extends object>(
  client: PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<{ rows: Row[] }> {
  try {
    return await client.query<Row>(text, [...values]);
  } catch (error) {
    throw statementError(error);
  }
}
