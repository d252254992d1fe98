import { describe, expect, it } from 'vitest';
import type { Condition } from '../compose/stack.ts';
import type { ServiceState } from '../engine.ts';
import { Turns } from './turns.ts';
import { type Walked, walk } from './walk.ts';

const place = { file: 'compose.yaml', line: 1, column: 1 };
const service = (name: string, ...needs: readonly (readonly [string, Condition])[]): Walked => ({
  name,
  dependsOn: needs.map(([on, condition]) => ({ service: on, condition, required: true, place })),
});

/** Services that come to the states they are told to, and a record of what was called. */
function world(states: Readonly<Record<string, ServiceState>>, refuses: readonly string[] = []) {
  const calls: string[] = [];
  return {
    calls,
    start: async (name: string) => {
      calls.push(`start ${name}`);
      return !refuses.includes(name);
    },
    settle: async (name: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      calls.push(`${name} ${states[name] ?? 'healthy'}`);
      return states[name] ?? 'healthy';
    },
  };
}

const stack = [
  service('app', ['migrations', 'service_completed_successfully']),
  service('migrations', ['postgres', 'service_healthy'], ['seed', 'service_started']),
  service('postgres'),
  service('seed', ['postgres', 'service_healthy']),
  service('other', ['postgres', 'service_healthy']),
];
const never = new AbortController().signal;

describe('a walk', () => {
  it('starts each service when its own conditions are met, and no later', async () => {
    const steps = world({ migrations: 'completed', seed: 'completed' });
    const courses = await walk(stack, steps, never);
    expect(steps.calls.indexOf('start migrations')).toBeGreaterThan(steps.calls.indexOf('start seed'));
    expect(steps.calls.indexOf('start migrations')).toBeLessThan(steps.calls.indexOf('seed completed'));
    expect(steps.calls.indexOf('start app')).toBeGreaterThan(steps.calls.indexOf('migrations completed'));
    expect([...courses.values()].every(({ isStarted }) => isStarted)).toBe(true);
  });

  it.each([
    ['fails', { migrations: 'failed' as const }],
    ['is healthy where completion is asked', { migrations: 'healthy' as const }],
  ])('blocks who waits for a service that %s, and nobody else', async (_, states) => {
    const steps = world(states);
    const courses = await walk(stack, steps, never);
    expect(courses.get('app')).toEqual({ blockedBy: ['migrations'], isStarted: false });
    expect(courses.get('other')).toEqual({ blockedBy: [], isStarted: true });
    expect(steps.calls).not.toContain('start app');
  });

  it('blocks along the whole chain behind a service that cannot be started', async () => {
    const steps = world({}, ['postgres']);
    const courses = await walk(stack, steps, never);
    expect(courses.get('seed')?.blockedBy).toEqual(['postgres']);
    expect(courses.get('migrations')?.blockedBy).toEqual(['postgres', 'seed']);
    expect(courses.get('app')?.blockedBy).toEqual(['migrations']);
    expect(steps.calls).toEqual(['start postgres']);
  });

  it('starts no more at a time than there are turns, and all of them in the end', async () => {
    const steps = world({});
    const services = ['a', 'b', 'c'].map((name) => service(name));
    await walk(services, steps, never, new Turns(1));
    expect(steps.calls).toEqual(['start a', 'a healthy', 'start b', 'b healthy', 'start c', 'c healthy']);
    const atOnce = world({});
    await walk(services, atOnce, never, new Turns(3));
    expect(atOnce.calls.slice(0, 3)).toEqual(['start a', 'start b', 'start c']);
  });

  it('ends with what the engine throws, which those that wait for the service hear of too', async () => {
    const steps = {
      ...world({}),
      start: async (name: string) => {
        if (name === 'postgres') throw new Error('the engine is gone');
        return true;
      },
    };
    await expect(walk(stack, steps, never)).rejects.toThrow('the engine is gone');
    // What nobody handles would be the run's failure now.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('starts nothing once it is told to stop', async () => {
    const steps = world({});
    await walk(stack, steps, AbortSignal.abort());
    expect(steps.calls).toEqual([]);
  });

  it('does without a service that takes no part, unless it is required', async () => {
    const needy = service('needy', ['absent', 'service_started']);
    const easy = {
      ...service('easy'),
      dependsOn: [{ service: 'absent', condition: 'service_started' as const, required: false, place }],
    };
    const courses = await walk([needy, easy], world({}), never);
    expect(courses.get('needy')).toEqual({ blockedBy: ['absent'], isStarted: false });
    expect(courses.get('easy')?.isStarted).toBe(true);
  });
});
