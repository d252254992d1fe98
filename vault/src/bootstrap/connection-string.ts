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

/** The password inside a connection string that {@link connectionString} made; undefined for anything else. */
export function passwordOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { password } = new URL(value);
  try {
    return password === '' ? undefined : decodeURIComponent(password);
  } catch {
    return undefined;
  }
}
