// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { restartedOneShot, unrestartedServer } from './restart.ts';

describe('one-shots', () => {
  it('are found when they are started again', () => {
    const policies = ['always', 'unless-stopped', 'on-failure', 'on-failure:3', '"no"'];
    const lines = policies.map((policy, at) => `s${at}-migrations: { restart: ${policy} }`);
    expect(found(restartedOneShot, lines.join('\n'))).toEqual([
      'bad 2:20 s0-migrations: runs once, but has restart: always',
      'bad 3:20 s1-migrations: runs once, but has restart: unless-stopped',
      'note 4:20 s2-migrations: runs once, but has restart: on-failure',
    ]);
  });
});

describe('servers', () => {
  it('without a restart policy are noted', () => {
    const services = [
      'a: { ports: ["127.0.0.1:1:1"] }',
      'b: { healthcheck: { test: x }, restart: always }',
      'c: { ports: ["127.0.0.1:2:2"], deploy: { restart_policy: { condition: any } } }',
      'd: {}',
    ];
    expect(found(unrestartedServer, services.join('\n'))).toEqual([
      'note 2:3 a: is a server without a restart policy',
    ]);
  });
});
