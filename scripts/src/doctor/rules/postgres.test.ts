// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { postgresConnections, postgresStopSignal, postgresVolume } from './postgres.ts';

describe('Postgres', () => {
  it.each([
    [
      'postgres:18',
      'db:/var/lib/postgresql/data',
      'mounts /var/lib/postgresql/data, but Postgres 18 keeps its data in /var/lib/postgresql/18/docker',
    ],
    [
      'postgres',
      'db:/var/lib/postgresql/data',
      'mounts /var/lib/postgresql/data, but Postgres 18 and newer keeps its data in /var/lib/postgresql/<version>/docker',
    ],
    [
      'postgres:17-alpine',
      'db:/var/lib/postgresql',
      'mounts /var/lib/postgresql, but Postgres 17 keeps its data in /var/lib/postgresql/data',
    ],
    [
      'registry.example:5000/x/pgvector:pg16',
      'db:/data',
      'no named volume holds its data (/var/lib/postgresql/data)',
    ],
    [
      'postgis/postgis:18-3.6',
      '/var/lib/postgresql',
      'no named volume holds its data (/var/lib/postgresql/18/docker)',
    ],
  ])('%s with %s is found', (image, volume, text) => {
    const [fault] = found(
      postgresVolume,
      `db: { image: "${image}", volumes: ["${volume}"] }`,
      'volumes: { db: }',
    );
    expect(fault).toMatch(/^bad 2:\d+ db: /);
    expect(fault).toContain(text);
  });

  it.each([
    ['postgres:18', 'volumes: ["db:/var/lib/postgresql"]'],
    ['postgres:18', 'volumes: ["./data:/var/lib/postgresql/18/docker"]'],
    ['postgres:16', 'volumes: [{ type: volume, source: db, target: /var/lib/postgresql/data }]'],
    ['postgres:16', 'volumes: ["db:/data"], environment: [PGDATA=/data/pg]'],
    ['bitnami/postgresql:17', 'volumes: []'],
  ])('%s with %s is not', (image, keys) => {
    expect(found(postgresVolume, `db: { image: "${image}", ${keys} }`, 'volumes: { db: }')).toEqual([]);
  });

  it('without any mount is found, in memory it is noted', () => {
    expect(found(postgresVolume, 'db: { image: postgres:18 }')).toEqual([
      'bad 2:3 db: no named volume holds its data (/var/lib/postgresql/18/docker)',
    ]);
    expect(found(postgresVolume, 'db: { image: postgres:18, tmpfs: /var/lib/postgresql }')).toEqual([
      'note 2:36 db: keeps its data in memory (/var/lib/postgresql)',
    ]);
  });

  it.each([
    ['postgres:18', 11, 'note 2:3 db: has 100 connections, and 11 apps take up to 10 each'],
    [
      'postgres:18, command: [-c, max_connections=300]',
      31,
      'note 2:29 db: has 300 connections, and 31 apps take up to 10 each',
    ],
    ['postgres:18', 10, undefined],
    ['postgres:18, command: "postgres -c max_connections=300"', 30, undefined],
    ['nginx:1', 50, undefined],
  ])('%s with too few connections for its apps is noted (%i)', (image, apps, text) => {
    const services = Array.from({ length: apps }, (_, at) => [
      `a${at}-migrations: { depends_on: { db: { condition: service_healthy } } }`,
      `a${at}: { depends_on: { a${at}-migrations: { condition: service_completed_successfully } } }`,
    ]).flat();
    const all = [`db: { image: ${image} }`, ...services].join('\n');
    expect(found(postgresConnections, all)).toEqual(text === undefined ? [] : [text]);
  });

  it('that is not stopped the fast way is found', () => {
    const services = ['TERM', 'SIGQUIT', 'SIGINT', '2'].map(
      (signal, at) => `db${at}: { image: postgres:18, stop_signal: ${signal} }`,
    );
    expect(found(postgresStopSignal, services.join('\n'))).toEqual([
      'bad 2:30 db0: is stopped with TERM',
      'bad 3:30 db1: is stopped with SIGQUIT',
    ]);
    expect(found(postgresStopSignal, 'web: { image: nginx:1, stop_signal: SIGTERM }')).toEqual([]);
  });
});
