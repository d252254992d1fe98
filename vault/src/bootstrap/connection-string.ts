import { parseConnectionString } from '@lockstep/postgres';

/** Where Postgres listens, as the services see it: host and port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Parses `host:port`; IPv6 hosts stand in brackets. Undefined when it is not one. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}))?:(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) return undefined;
  return { host: match[1], port };
}

/** The URL that a role connects with. */
export function connectionString(address: Address, user: string, password: string, database: string): string {
  const authority = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${address.host}:${address.port}`;
  return `postgres://${authority}/${encodeURIComponent(database)}`;
}

/**
 * The password inside a connection string, whoever wrote that; undefined where there is none. Another spelling of the same place
 * is left as it is: a person may have added how TLS is used.
 */
export function passwordOf(value: unknown): string | undefined {
  const parameters = typeof value === 'string' ? parseConnectionString(value) : undefined;
  return parameters === undefined || 'rule' in parameters ? undefined : parameters.password;
}

/** Whether two connection strings lead the same role to the same database, however they are written. */
export function leadsTo(stored: unknown, wanted: string): boolean {
  const [there, here] = [stored, wanted].map((text) =>
    typeof text === 'string' ? parseConnectionString(text) : undefined,
  );
  if (there === undefined || here === undefined || 'rule' in there || 'rule' in here) return false;
  const keys = ['host', 'port', 'user', 'password', 'database'] as const;
  return keys.every((key) => there[key] === here[key]);
}
