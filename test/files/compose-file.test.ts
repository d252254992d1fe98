import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findCompose, isComposeRequired } from '../support/compose-program.ts';

interface ComposeService {
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly { readonly host_ip?: string; readonly published?: string }[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const compose = findCompose();
const required = isComposeRequired;
if (compose === undefined && !required)
  console.log('not run here: Docker Compose reads compose.yaml (no Docker Compose v2 found)');

/** The services there are: folders with an app. */
const apps = readdirSync('.').filter((name) => existsSync(`${name}/src/server.ts`));

describe.runIf(compose !== undefined || required)('Docker Compose v2 reads compose.yaml', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lockstep compose-'));
    for (const file of ['compose.yaml', 'compose.override.yaml']) await cp(file, join(folder, file));
    await mkdir(join(folder, '.lockstep/secrets'), { recursive: true });
    for (const secret of ['postgres_password', 'vault_root_token']) {
      await writeFile(join(folder, '.lockstep/secrets', secret), 'value-of-the-secret');
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Set by the tests that want services of profiles too. */
  let profiles = '';
  afterEach(() => {
    profiles = '';
  });

  const config = (...files: string[]) => {
    const [program = 'docker compose v2 was not found', ...args] = compose ?? [];
    return spawnSync(
      program,
      [...args, ...files.flatMap((file) => ['-f', file]), 'config', '--format', 'json'],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, COMPOSE_PROFILES: profiles },
      },
    );
  };
  const services = (...files: string[]) => {
    const { stdout, stderr, status } = config(...files);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return (JSON.parse(stdout) as { services: Record<string, ComposeService> }).services;
  };

  test('it accepts the base file and the override', () => {
    expect(Object.keys(services('compose.yaml', 'compose.override.yaml')).toSorted()).toEqual(
      [
        'postgres',
        'vault',
        'vault-bootstrap',
        ...apps.flatMap((app) => [app, `${app}-migrations`]),
      ].toSorted(),
    );
  });

  test('every service is read-only, without capabilities, without new privileges', () => {
    for (const [name, service] of Object.entries(services('compose.yaml'))) {
      expect({ name, ...service }).toMatchObject({
        name,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  test('the base file publishes nothing; the override publishes on the loopback interface only', () => {
    expect(Object.values(services('compose.yaml')).flatMap(({ ports }) => ports ?? [])).toEqual([]);
    const published = Object.values(services('compose.yaml', 'compose.override.yaml')).flatMap(
      ({ ports }) => ports ?? [],
    );
    expect(published.map(({ host_ip }) => host_ip)).toEqual(
      ['postgres', 'vault', ...apps].map(() => '127.0.0.1'),
    );
    expect(published.map(({ published: port }) => port)).toEqual(
      expect.arrayContaining(['15432', '18081', '18082', '18200']),
    );
  });

  test('an app starts only after its migrations have succeeded, and these only on healthy servers', () => {
    const all = services('compose.yaml');
    for (const app of apps) {
      expect(all[app]?.depends_on).toMatchObject({
        [`${app}-migrations`]: { condition: 'service_completed_successfully' },
      });
      expect(all[`${app}-migrations`]?.depends_on).toMatchObject({
        postgres: { condition: 'service_healthy' },
        vault: { condition: 'service_healthy' },
        'vault-bootstrap': { condition: 'service_completed_successfully' },
      });
    }
  });

  test.each([
    ['observability', ['grafana', 'loki']],
    ['tools', ['adminer']],
  ])('with the profile %s, and only then, %j take part: as hardened, and on loopback', (profile, names) => {
    const without = Object.keys(services('compose.yaml', 'compose.override.yaml'));
    profiles = profile;
    const all = services('compose.yaml', 'compose.override.yaml');
    expect(
      Object.keys(all)
        .filter((name) => !without.includes(name))
        .toSorted(),
    ).toEqual(names);
    for (const name of names) {
      expect(all[name]).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        ports: [{ host_ip: '127.0.0.1' }],
      });
    }
  });

  test('no secret stands in the configuration, which `inspect` would show', () => {
    const { stdout } = config('compose.yaml', 'compose.override.yaml');
    expect(stdout).not.toContain('value-of-the-secret');
    for (const { environment } of Object.values(services('compose.yaml'))) {
      for (const [name, value] of Object.entries(environment ?? {})) {
        if (/PASSWORD|TOKEN|SECRET_ID/.test(name)) expect(value).toMatch(/^\/run\//);
      }
    }
  });
});
