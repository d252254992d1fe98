import type { ConnectionParameters } from './parameters.ts';

/** `127.0.0.1:5432`, `[::1]:5432` */
export function addressOf({ host, port }: Pick<ConnectionParameters, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The URL that says the same, as every program reads it: all that is special is percent-encoded. */
export function formatConnectionString(parameters: ConnectionParameters): string {
  const { host, port, user, password, database } = parameters;
  const isSocket = host.startsWith('/');
  const login = [user, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':');
  const where = isSocket
    ? ''
    : host.includes(':')
      ? `[${host.replace('%', '%25')}]:${port}`
      : `${host}:${port}`;
  const query = [
    ...(isSocket ? [['host', host] as const, ['port', String(port)] as const] : []),
    ...details(parameters),
  ].map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `postgres://${login}@${where}/${encodeURIComponent(database)}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

/** What is not as it is when nothing is said. */
function details(parameters: ConnectionParameters): (readonly [string, string])[] {
  const { tlsVersions } = parameters;
  const values: readonly (readonly [string, string | undefined])[] = [
    ['hostaddr', parameters.hostaddr],
    ['options', parameters.options],
    ['sslmode', parameters.tls === 'prefer' ? undefined : parameters.tls],
    ...Object.entries(parameters.tlsFiles),
    ['sslnegotiation', parameters.tlsNegotiation],
    ['ssl_min_protocol_version', tlsVersions?.oldest],
    ['ssl_max_protocol_version', tlsVersions?.newest],
    ['sslsni', parameters.tlsNamesServer === false ? '0' : undefined],
    ['channel_binding', parameters.channelBinding],
    ['connect_timeout', parameters.connectTimeoutSeconds?.toString()],
    ['target_session_attrs', parameters.sessionAttributes],
  ];
  return values.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
}
