import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { LibpqConnection } from './libpq-connection.ts';
import type { ConnectionParameters } from './parameters.ts';

declare module 'pg' {
  interface ClientConfig {
    /** pg's own, which its types leave out. */
    connection?: Connection;
  }
  interface Client {
    connectionParameters: { options: string | undefined };
  }
}

/** What a caller says of a connection besides where it goes. */
export type ClientManner = Pick<
  ClientConfig,
  | 'application_name'
  | 'connectionTimeoutMillis'
  | 'idle_in_transaction_session_timeout'
  | 'options'
  | 'pipeline'
  | 'query_timeout'
  | 'statement_timeout'
>;

/**
 * A client of pg that connects by what we read in a connection string, and by nothing else: pg's own reader, `PGOPTIONS` and
 * the like, and a `~/.pgpass` have no part in it. TLS is libpq's; see {@link LibpqConnection}.
 */
export class LibpqClient extends Client {
  readonly #connection: LibpqConnection;

  constructor(parameters: ConnectionParameters, manner: ClientManner = {}) {
    const connection = new LibpqConnection(parameters);
    const options = [parameters.options, manner.options].filter((part) => part !== undefined).join(' ');
    super({
      ...manner,
      host: parameters.host,
      port: parameters.port,
      user: parameters.user,
      // A function, so that pg does not look for a ~/.pgpass.
      password: () => parameters.password ?? '',
      database: parameters.database,
      options,
      connection,
      // The connection's own business.
      ssl: false,
      sslnegotiation: 'postgres',
      enableChannelBinding: parameters.channelBinding === 'require',
      ...limit(parameters, manner),
    });
    this.connectionParameters.options = options === '' ? undefined : options;
    this.#connection = connection;
  }

  /** What the connection runs over at the moment. */
  get socket(): Socket {
    return this.#connection.stream;
  }

  /** How the connection came about; see {@link LibpqConnection.way}. */
  get way(): LibpqConnection['way'] {
    return this.#connection.way;
  }
}

/** The shorter of the caller's limit and `connect_timeout`. */
function limit({ connectTimeoutSeconds }: ConnectionParameters, manner: ClientManner): ClientConfig {
  const limits = [manner.connectionTimeoutMillis, connectTimeoutSeconds && connectTimeoutSeconds * 1000];
  const set = limits.filter((milliseconds) => milliseconds !== undefined && milliseconds > 0);
  return set.length === 0 ? {} : { connectionTimeoutMillis: Math.min(...set.map(Number)) };
}
