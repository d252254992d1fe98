import { describe, expect, it } from 'vitest';
import { readContainer, readEvent, stateOf } from './container-shapes.ts';

const labels = { 'com.docker.compose.service': 'postgres', 'com.docker.compose.oneoff': 'False' };

/** As dockerd 20.10 writes it, cut to what is read. */
const docker = {
  Id: 'a1',
  Image: 'sha256:1',
  RestartCount: 0,
  Config: { Labels: labels },
  State: {
    Status: 'running',
    ExitCode: 0,
    OOMKilled: false,
    Error: '',
    StartedAt: '2026-01-02T03:04:05.678Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    Health: {
      Status: 'healthy',
      Log: [
        { ExitCode: 1, End: '2026-01-02T03:04:06Z' },
        { ExitCode: 0, End: '2026-01-02T03:04:07Z' },
        { ExitCode: 0, End: '2026-01-02T03:04:08Z' },
      ],
    },
  },
};

describe('a container', () => {
  it('is read from what Docker inspects', () => {
    expect(readContainer(docker)).toEqual({
      id: 'a1',
      service: 'postgres',
      state: 'running',
      health: 'healthy',
      exitCode: 0,
      startedAt: Date.parse('2026-01-02T03:04:05.678Z'),
      finishedAt: undefined,
      healthyAt: Date.parse('2026-01-02T03:04:07Z'),
      restarts: 0,
      image: 'sha256:1',
      error: '',
      killedForMemory: false,
    });
  });

  it('is read from what an older Podman inspects, which calls the health another name', () => {
    const { Health: health, ...state } = docker.State;
    const podman = { ...docker, State: { ...state, Healthcheck: health } };
    expect(readContainer(podman)).toEqual(readContainer(docker));
  });

  it.each([
    ['of compose run', { ...docker, Config: { Labels: { ...labels, 'com.docker.compose.oneoff': 'True' } } }],
    ['without a service', { ...docker, Config: { Labels: {} } }],
    ['that is no object', null],
  ])('%s is none of the stack', (_, value) => {
    expect(readContainer(value)).toBeUndefined();
  });

  it.each([
    [{ state: 'running', health: 'starting' }, 'starting'],
    [{ state: 'running' }, 'running'],
    [{ state: 'created' }, 'created'],
    [{ state: 'configured' }, 'created'],
    [{ state: 'exited', exitCode: 0 }, 'completed'],
    [{ state: 'exited', exitCode: 3 }, 'failed'],
    [{ state: 'stopped', exitCode: 137, finishedAt: 1 }, 'failed'],
    [{ state: 'restarting', exitCode: 1 }, 'restarting'],
    [{ state: 'removing' }, 'stopping'],
    [{ state: 'paused' }, 'stopped'],
  ])('with %j is %s', (part, state) => {
    const container = readContainer({ ...docker, State: { Status: 'running' } });
    if (container === undefined) throw new Error('the sample was not read');
    expect(stateOf({ ...container, ...part } as typeof container)).toBe(state);
  });
});

describe('an event', () => {
  const attributes = { ...labels, exitCode: '137' };
  it.each([
    [{ Action: 'start', Actor: { Attributes: labels } }, 'started', undefined],
    [{ Action: 'die', Actor: { Attributes: attributes } }, 'ended', 137],
    [{ Action: 'health_status: healthy', Actor: { Attributes: labels } }, 'healthy', undefined],
    [{ Action: 'health_status: unhealthy', Actor: { Attributes: labels } }, 'unhealthy', undefined],
    [{ Status: 'died', ContainerExitCode: 2, Attributes: labels }, 'ended', 2],
    [{ Status: 'died', Attributes: labels }, 'ended', 0],
    [{ Status: 'health_status', HealthStatus: 'healthy', Attributes: labels }, 'healthy', undefined],
  ])('%j is told as %s', (value, kind, exitCode) => {
    expect(readEvent(value)).toEqual({ service: 'postgres', kind, exitCode, at: undefined });
  });

  it('tells when it happened, in milliseconds', () => {
    const event = { Action: 'start', Actor: { Attributes: labels }, timeNano: 1_700_000_000_123_000_000 };
    expect(readEvent(event)?.at).toBeCloseTo(1_700_000_000_123, 0);
  });

  it.each([
    { Action: 'exec_start', Actor: { Attributes: labels } },
    { Action: 'start', Actor: { Attributes: { ...labels, 'com.docker.compose.oneoff': 'True' } } },
    { Action: 'start', Actor: { Attributes: {} } },
    undefined,
    'text',
  ])('%j is of no use', (value) => {
    expect(readEvent(value)).toBeUndefined();
  });
});
