import { describe, expect, it } from 'vitest';
import type { Service, Stack } from '../../compose/stack.ts';
import { localiser } from './local-names.ts';

const place = { file: 'compose.yaml', line: 1, column: 1 };

function service(name: string, parts: Partial<Service> = {}): Service {
  return {
    name,
    place,
    profiles: [],
    command: [],
    environment: new Map(),
    dependsOn: [],
    healthcheck: undefined,
    restart: { policy: 'no' },
    stopSignal: 'SIGTERM',
    stopGraceMilliseconds: 10_000,
    ports: [],
    mounts: [],
    secrets: [],
    configs: [],
    embedded: undefined,
    ...parts,
  };
}

const port = (published: number, target: number, host = '127.0.0.1') => ({
  host,
  published,
  target,
  setting: undefined,
  place,
});
const app = service('app', {
  ports: [port(18081, 8080)],
  mounts: [
    { kind: 'bind', source: '/project with blank/app/migrations', target: '/migrations', place },
    { kind: 'volume', source: 'app-role', target: '/run/credentials', place },
    { kind: 'volume', source: 'app-more', target: '/run/credentials/more', place },
  ],
  secrets: [{ name: 'token', target: '/run/secrets/token' }],
  configs: [{ name: 'settings', target: '/etc/settings.yaml', place }],
});
const services = [
  app,
  service('app-migrations'),
  service('postgres', { ports: [port(15432, 5432)] }),
  service('vault', { ports: [port(18200, 8200, '0.0.0.0')] }),
  service('six', { ports: [port(18300, 8300, '::1')] }),
];
const stack: Stack = {
  name: 'stack',
  services: new Map(services.map((one) => [one.name, one])),
  inactive: new Map(),
  files: [],
  volumes: ['app-role', 'app-more'],
  secrets: new Map([
    ['token', '/state/secrets/token'],
    ['other', '/state/secrets/other'],
  ]),
  configs: new Map([['settings', '/project with blank/settings.yaml']]),
};
const localise = localiser(stack, app, (volume) => `/state/volumes/${volume}`);

describe('container names and paths become local ones', () => {
  it.each([
    ['an address of another service', 'postgres:5432', '127.0.0.1:15432'],
    ['an address in a URL', 'http://vault:8200/v1', 'http://127.0.0.1:18200/v1'],
    ['an address with credentials', 'postgres://u:p@postgres:5432/d', 'postgres://u:p@127.0.0.1:15432/d'],
    ['an IPv6 address', 'http://six:8300', 'http://[::1]:18300'],
    ['several at once', 'postgres:5432,vault:8200', '127.0.0.1:15432,127.0.0.1:18200'],
    ['its own address', '0.0.0.0:8080', '127.0.0.1:18081'],
    ['its own loopback', 'http://localhost:8080/ready', 'http://127.0.0.1:18081/ready'],
    ['a volume', '/run/credentials', '/state/volumes/app-role'],
    ['a path under a volume', '/run/credentials/role_id', '/state/volumes/app-role/role_id'],
    ['a volume under a volume', '/run/credentials/more/x', '/state/volumes/app-more/x'],
    ['a bind mount', '--path=/migrations/x.sql', '--path=/project with blank/app/migrations/x.sql'],
    ['a file URL', 'file:///migrations', 'file:///project with blank/app/migrations'],
    [
      'a list of paths',
      '/migrations:/run/credentials',
      '/project with blank/app/migrations:/state/volumes/app-role',
    ],
    ['a secret', '/run/secrets/token', '/state/secrets/token'],
    ['a config', '--config=/etc/settings.yaml', '--config=/project with blank/settings.yaml'],
  ])('%s', (_, text, expected) => {
    expect(localise(text)).toBe(expected);
  });

  it.each([
    ['a port that is not published', 'postgres:5433'],
    ['a longer port', 'postgres:54321'],
    ['a name that only ends like a service', 'my-postgres:5432'],
    ['a name within a domain', 'db.postgres:5432'],
    ['a pair that is no address', 'app:services content:content'],
    ['another service’s port on loopback', '127.0.0.1:5432'],
    ['a longer path', '/migrations-old/x'],
    ['a path within a path', '/srv/migrations'],
    ['a path within a URL', 'https://example.org/migrations'],
    ['a secret it is not given', '/run/secrets/other'],
    ['a dollar sign in the text', '$& $1 $$'],
  ])('but not %s', (_, text) => {
    expect(localise(text)).toBe(text);
  });

  it('what was put in is not replaced again', () => {
    const inside = localiser(stack, app, () => '/migrations/postgres:5432');
    expect(inside('/run/credentials/x')).toBe('/migrations/postgres:5432/x');
  });
});
