// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import {
  blankInHealthcheck,
  interval,
  socketHealthcheck,
  startInterval,
  unhealthyForEver,
} from './health.ts';

describe('health checks', () => {
  it.each([
    ['pg_isready', 'test: [CMD, pg_isready, -U, postgres]'],
    ['pg_isready', 'test: pg_isready -U postgres || exit 1'],
    ['pg_isready', 'test: [CMD-SHELL, "sleep 1; exec /usr/bin/pg_isready -q"]'],
    ['psql', 'test: [CMD, sh, -ec, "psql -U postgres -c \'select 1\'"]'],
    ['psql', 'test: [CMD, psql, -h, /run/postgresql, -c, select 1]'],
    ['psql', 'test: [CMD, psql, "postgres:///app"]'],
  ])('that ask %s over the socket are found: %s', (client, test) => {
    expect(found(socketHealthcheck, `db: { healthcheck: { ${test} } }`)).toEqual([
      `bad 2:24 db: its health check asks ${client} over the socket`,
    ]);
  });

  it.each([
    'test: [CMD, pg_isready, -h, 127.0.0.1]',
    'test: [CMD, pg_isready, --host=localhost]',
    'test: pg_isready -hlocalhost',
    'test: pg_isready -h $$HOSTNAME',
    'test: PGHOST=127.0.0.1 psql -c "select 1"',
    'test: [CMD, psql, "postgres://app@127.0.0.1/app"]',
    'test: [CMD, psql, "host=127.0.0.1 user=app"]',
    'test: [CMD, curl, localhost]',
    'disable: true',
  ])('that ask over TCP are not: %s', (test) => {
    expect(found(socketHealthcheck, `db: { healthcheck: { ${test} } }`)).toEqual([]);
  });

  it('that are not there are found where others want the service healthy', () => {
    const on = (name: string) => `depends_on: { ${name}: { condition: service_healthy } }`;
    expect(
      found(
        unhealthyForEver,
        `a: { ${on('b')} }\nb: {}\nc: { ${on('d')} }\nd: { healthcheck: { test: [NONE] } }`,
      ),
    ).toEqual([
      'bad 2:22 a: waits for b to be healthy, which has no health check',
      'bad 4:22 c: waits for d to be healthy, which has no health check',
    ]);
  });

  it('with a blank in a word are noted, where they are words', () => {
    const services = [
      'a: { healthcheck: { test: [CMD, psql, -h, localhost, -c, select 1] } }',
      'b: { healthcheck: { test: [CMD, psql, -h, localhost, -l] } }',
      'c: { healthcheck: { test: [CMD-SHELL, "psql -h localhost"] } }',
    ];
    expect(found(blankInHealthcheck, services.join('\n'))).toEqual([
      'note 2:23 a: a word of its health check has a blank in it',
    ]);
  });

  it('with a start_interval are found', () => {
    expect(found(startInterval, 'a: { healthcheck: { start_interval: 1s } }')).toEqual([
      'bad 2:23 a: its health check has a start_interval',
    ]);
  });

  it('that are slow where others wait, or that never rest, are noted', () => {
    const services = [
      'app: { depends_on: { a: { condition: service_healthy }, b: { condition: service_healthy } } }',
      'a: { healthcheck: { test: x } }',
      'b: { healthcheck: { test: x, interval: 10s } }',
      'c: { healthcheck: { test: x, interval: 10s } }',
      'd: { healthcheck: { test: x, interval: 200ms } }',
      'e: { healthcheck: { test: x && sleep 20, interval: 200ms } }',
    ];
    expect(found(interval, services.join('\n'))).toEqual([
      'note 3:21 a: others wait for it, and it is first probed after 30s, which is the default',
      'note 4:32 b: others wait for it, and it is first probed after 10s',
      'note 6:32 d: is probed every 200ms',
    ]);
  });
});
