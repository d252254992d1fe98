// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { startedOneShot, unawaitedOneShot, ungatedApp } from './one-shots.ts';

describe('one-shots', () => {
  it('are found when nobody waits for them', () => {
    expect(found(unawaitedOneShot, 'seed: { restart: "no" }\napp: { depends_on: [seed] }')).toEqual([
      'bad 2:3 seed: runs once, and nobody waits for it to end',
    ]);
    expect(found(unawaitedOneShot, 'server: { restart: "no", ports: ["127.0.0.1:80:80"] }')).toEqual([]);
  });

  it('are found when somebody waits for their start only', () => {
    expect(
      found(
        startedOneShot,
        'seed: { restart: "no" }\napp: { depends_on: [seed] }\nserver: { depends_on: [app] }',
      ),
    ).toEqual(['bad 3:23 app: waits for seed with service_started, but seed runs once']);
  });

  it('named like an init container are found when their app does not wait for them', () => {
    expect(found(ungatedApp, 'app: {}\napp-migrations: {}')).toEqual([
      'bad 2:3 app: does not wait for app-migrations to succeed',
    ]);
    expect(found(ungatedApp, 'app: { depends_on: [app-migrations] }\napp-migrations: {}')).toEqual([
      'bad 2:23 app: does not wait for app-migrations to succeed',
    ]);
    const gated = 'app: { depends_on: { app-migrations: { condition: service_completed_successfully } } }';
    expect(found(ungatedApp, `${gated}\napp-migrations: {}`)).toEqual([]);
  });
});
