import { describe, expect, it } from 'vitest';
import { type Ask, findDocker, findPodman } from './compose-program.ts';

/** A machine on which each command line says what it is told to; all other programs are missing. */
function machine(answers: Record<string, { out?: string; err?: string; ok?: boolean }>): Ask {
  return async (program, args) => {
    const answer = answers[[program, ...args].join(' ')];
    if (answer === undefined) return { ok: false, stdout: '', stderr: '', missing: true };
    return { ok: answer.ok ?? true, stdout: answer.out ?? '', stderr: answer.err ?? '', missing: false };
  };
}

const server = { 'docker version --format {{.Server.Version}}': { out: '28.2.2\n' } };
const podman = { 'podman info --format {{.Version.Version}}': { out: '5.4.2\n' } };

describe('docker', () => {
  it.each([
    [
      'the plugin',
      { 'docker compose version --short': { out: '2.40.3\n' } },
      'Docker 28.2.2, Compose 2.40.3',
      ['docker', 'compose'],
    ],
    [
      'docker-compose 2',
      { 'docker-compose version --short': { out: 'v2.30.1\n' } },
      'Docker 28.2.2, Compose 2.30.1',
      ['docker-compose'],
    ],
  ])('can run the stack with %s', async (_, answers, reason, command) => {
    const found = await findDocker(machine({ ...server, ...answers }));
    expect(found).toEqual({ availability: { name: 'docker', available: true, reason }, command });
  });

  it.each([
    ['it is missing', {}, 'docker is not on PATH'],
    [
      'its daemon is down',
      {
        'docker version --format {{.Server.Version}}': {
          ok: false,
          err: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n',
        },
      },
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock',
    ],
    ['it has no compose', server, 'Docker 28.2.2 has no Compose 2 (the plugin docker-compose-plugin)'],
    [
      'its compose is version 1',
      { ...server, 'docker-compose version --short': { out: '1.29.2\n' } },
      'docker-compose 1.29.2 is too old (2 or newer needed)',
    ],
  ])('cannot when %s', async (_, answers, reason) => {
    const found = await findDocker(machine(answers));
    expect(found).toEqual({ availability: { name: 'docker', available: false, reason } });
  });
});

describe('podman', () => {
  it('can run the stack when Docker Compose 2 is its provider', async () => {
    const found = await findPodman(
      machine({
        ...podman,
        'podman compose version': {
          out: 'Docker Compose version 2.40.3-1\n',
          err: '>>>> Executing external compose provider',
        },
      }),
    );
    expect(found).toEqual({
      availability: { name: 'podman', available: true, reason: 'Podman 5.4.2, Compose 2.40.3-1' },
      command: ['podman', 'compose'],
    });
  });

  it.each([
    ['it is missing', {}, 'podman is not on PATH'],
    [
      'podman-compose is old',
      { ...podman, 'podman compose version': { out: 'podman-compose version: 1.0.3\n' } },
      "podman-compose 1.0.3 ignores the conditions between services (Docker Compose 2 as podman's provider needed)",
    ],
    [
      'podman-compose is new',
      { ...podman, 'podman compose version': { out: 'podman-compose version 1.6.0\n' } },
      "podman-compose 1.6.0 starts an app after its migrations failed (Docker Compose 2 as podman's provider needed)",
    ],
    [
      'it has no provider',
      {
        ...podman,
        'podman compose version': { ok: false, err: 'Error: looking up compose provider failed' },
      },
      'podman compose has no provider (Docker Compose 2 needed)',
    ],
  ])('cannot when %s', async (_, answers, reason) => {
    const found = await findPodman(machine(answers));
    expect(found).toEqual({ availability: { name: 'podman', available: false, reason } });
  });
});
