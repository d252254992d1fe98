import { describe, expect, it } from 'vitest';
import type { Condition, Service, Stack } from '../compose/stack.ts';
import { byService, outcomeOf, unmet } from './container-outcome.ts';
import type { Container } from './container-shapes.ts';

const place = { file: 'compose.yaml', line: 1, column: 1 };
const service = (name: string, ...needs: readonly (readonly [string, Condition])[]): Service => ({
  name,
  place,
  profiles: [],
  command: [],
  environment: new Map(),
  dependsOn: needs.map(([on, condition]) => ({ service: on, condition, required: true, place })),
  healthcheck: undefined,
  restart: { policy: 'no' },
  stopSignal: 'SIGTERM',
  stopGraceMilliseconds: 10_000,
  ports: [],
  mounts: [],
  secrets: [],
  configs: [],
  embedded: undefined,
});
const services = [
  service('postgres'),
  service('migrations', ['postgres', 'service_healthy']),
  service('app', ['migrations', 'service_completed_successfully']),
];
const stack: Stack = {
  name: 's',
  services: new Map(services.map((one) => [one.name, one])),
  inactive: new Map(),
  volumes: [],
  secrets: new Map(),
  configs: new Map(),
  files: [],
};
const container = (name: string, part: Partial<Container> = {}): Container => ({
  id: name,
  service: name,
  state: 'running',
  health: undefined,
  exitCode: 0,
  startedAt: 1_000,
  finishedAt: undefined,
  healthyAt: undefined,
  restarts: 0,
  image: '',
  error: '',
  killedForMemory: false,
  ...part,
});
const see = (name: string, part: Partial<Container> | undefined, more = {}) =>
  outcomeOf({
    stack,
    name,
    container: part === undefined ? undefined : container(name, part),
    isChanged: true,
    blockedBy: [],
    isAnswering: false,
    seconds: undefined,
    ...more,
  });

describe('an outcome', () => {
  it.each([
    ['a one-shot that ended with 0', 'migrations', { state: 'exited' }, 'completed', true],
    ['a one-shot that failed', 'migrations', { state: 'exited', exitCode: 8 }, 'failed', false],
    ['a one-shot that still runs', 'migrations', {}, 'running', false],
    ['a healthy server', 'app', { health: 'healthy' as const }, 'healthy', true],
    ['a server without a health check', 'app', {}, 'running', true],
    ['an unhealthy server', 'app', { health: 'unhealthy' as const }, 'unhealthy', false],
    ['a server that keeps ending', 'app', { state: 'restarting', exitCode: 3 }, 'restarting', false],
    [
      'a container that was never started',
      'app',
      { state: 'created', startedAt: undefined },
      'failed',
      false,
    ],
    ['no container at all', 'app', undefined, 'failed', false],
  ])('of %s', (_, name, part, state, ok) => {
    expect(see(name, part)).toMatchObject({ service: name, state, ok });
  });

  it('of a blocked service names what it waits for, whatever its container is at', () => {
    const outcome = see('app', { health: 'healthy' }, { blockedBy: ['migrations'], isChanged: false });
    expect(outcome).toMatchObject({ ok: false, state: 'healthy', blockedBy: ['migrations'] });
  });

  it('of a server that answers where a person asks is healthy before its own probe says so', () => {
    const outcome = see('app', { health: 'starting' }, { isAnswering: true, seconds: 0.4 });
    expect(outcome).toMatchObject({ ok: true, state: 'healthy', seconds: 0.4 });
  });

  it('of what did not change has no seconds: they would be those of another start', () => {
    const outcome = see('app', { health: 'healthy', healthyAt: 9_000 }, { isChanged: false });
    expect(outcome).not.toHaveProperty('seconds');
    expect(see('app', { health: 'healthy', healthyAt: 9_000 })).toHaveProperty('seconds', 8);
  });

  it('says why a container was killed or refused', () => {
    const killed = { state: 'exited', exitCode: 137, killedForMemory: true };
    expect(see('migrations', killed).note).toBe('it was killed for the memory it took');
    const refused = { state: 'created', startedAt: undefined, error: 'port is already allocated' };
    expect(see('app', refused).note).toBe('port is already allocated');
  });
});

describe('a condition', () => {
  it.each([
    ['healthy', { health: 'healthy' as const }, []],
    ['starting', { health: 'starting' as const }, ['postgres']],
    ['stopped', { state: 'exited' }, ['postgres']],
  ])('service_healthy on a server that is %s', (_, part, missing) => {
    const now = byService([container('postgres', part)]);
    expect(unmet(stack, 'migrations', now).map((one) => one.service)).toEqual(missing);
  });

  it.each([
    ['has ended with 0', { state: 'exited' }, []],
    ['failed', { state: 'exited', exitCode: 1 }, ['migrations']],
    ['still runs', {}, ['migrations']],
  ])('service_completed_successfully on a one-shot that %s', (_, part, missing) => {
    const now = byService([container('migrations', part)]);
    expect(unmet(stack, 'app', now).map((one) => one.service)).toEqual(missing);
  });
});
