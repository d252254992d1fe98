const leaveOut = 'leave it out';
const searchPath = 'write options=-csearch_path=…';
const ofGolang = 'is golang-migrate’s';

/** Parameters that other programs read from a connection string, in lower case, and what says the same here. */
const foreign: Readonly<Record<string, string>> = {
  'x-migrations-table': 'name the table with --table (MIGRATIONS_TABLE)',
  'x-migrations-table-quoted': 'name the table with --table (MIGRATIONS_TABLE)',
  'x-statement-timeout': 'limit the run with --timeout (MIGRATION_TIMEOUT)',
  'x-multi-statement': `files are split into statements; ${leaveOut}`,
  'x-multi-statement-max-size': `files are split into statements; ${leaveOut}`,
  'x-lock-strategy': `the lock is golang-migrate’s advisory lock; ${leaveOut}`,
  'x-lock-table': `the lock is golang-migrate’s advisory lock; ${leaveOut}`,
  'x-no-lock': `the lock is always taken; ${leaveOut}`,
  search_path: searchPath,
  searchpath: searchPath,
  // Prisma's and JDBC's.
  schema: searchPath,
  currentschema: searchPath,
  username: 'did you mean user?',
  user_name: 'did you mean user?',
  uid: 'did you mean user?',
  pass: 'did you mean password?',
  pwd: 'did you mean password?',
  database: 'did you mean dbname?',
  db: 'did you mean dbname?',
  server: 'did you mean host?',
  hostname: 'did you mean host?',
  loglevel: leaveOut,
};

/** Of pools and drivers: pgx, lib/pq, Prisma, JDBC, Npgsql, SQLAlchemy, Rails. */
const drivers =
  /^(pool.*|.*pool_?size|connection_?limit|pgbouncer|sslaccept|sslidentity|socket_?timeout|login_?timeout|statement_cache.*|description_cache.*|default_query_exec_mode|binary_parameters|disable_prepared_binary_result|prepare.*|sslfactory|stringtype|applicationname|tcpkeepalive|rewritebatchedinserts|encoding|adapter|reconnect|max_?connections|keepalive|query_timeout|connectiontimeoutmillis|fetch_?size|timeout)$/;

/** Settings of the server that a driver would send: lib/pq and pgx take any parameter for one. */
const serverSettings =
  /^(timezone|datestyle|intervalstyle|(statement|lock|transaction|idle_session|idle_in_transaction_session)_timeout|(maintenance_)?work_mem|temp_buffers|extra_float_digits|bytea_output|role|session_authorization|default_t\w+|standard_conforming_strings|client_min_messages|row_security|jit|synchronous_commit|check_function_bodies|log_\w+|enable_\w+|plan_cache_mode|xmloption|lc_\w+|[a-z_]\w*\.\w+)$/;

/** What to write instead of a parameter that is not libpq's; undefined when nobody is known to have it. */
export function adviceFor(key: string): string | undefined {
  const name = key.toLowerCase();
  const advice = foreign[name];
  if (advice !== undefined) return advice;
  if (name.startsWith('x-')) return `it ${ofGolang}; ${leaveOut}`;
  if (serverSettings.test(name)) return `write options=-c${key}=…`;
  return drivers.test(name) ? leaveOut : undefined;
}
