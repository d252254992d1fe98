import { describe, expect, it } from 'vitest';
import { askServer, machine } from '../../test/support/machine.ts';
import { findDocker } from './compose-program.ts';

const server = { [askServer]: { out: '28.2.2 Engine\n' } };
const plugin = { 'docker compose version --short': { out: '2.40.3\n' } };

describe('docker', () => {
  it.each([
    ['the plugin', plugin, 'Docker 28.2.2, Compose 2.40.3', ['docker', 'compose']],
    [
      'docker-compose 2',
      { 'docker-compose version --short': { out: 'v2.30.1\n' } },
      'Docker 28.2.2, Compose 2.30.1',
      ['docker-compose'],
    ],
    [
      'the plugin, whatever an old docker-compose beside it says',
      { ...plugin, 'docker-compose version --short': { out: '1.29.2\n' } },
      'Docker 28.2.2, Compose 2.40.3',
      ['docker', 'compose'],
    ],
  ])('can run the stack with %s', async (_, answers, reason, command) => {
    const found = await findDocker(machine({ ...server, ...answers }));
    expect(found).toMatchObject({
      availability: { name: 'docker', available: true, reason },
      command,
      program: 'docker',
      flavour: 'compose',
      environment: {},
      defects: [],
    });
  });

  it.each([
    ['it is missing', {}, 'docker is not on PATH'],
    [
      'its daemon is down',
      {
        [askServer]: {
          ok: false,
          err: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n',
        },
      },
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock',
    ],
    [
      'its compose is late, which is not the same as absent',
      { ...server, 'docker compose version --short': { ok: false, err: 'no answer in 15 s' } },
      'docker compose: no answer in 15 s',
    ],
    ['it has no compose', server, 'Docker 28.2.2 has no Compose 2 (the plugin docker-compose-plugin)'],
    [
      'it is too old',
      { ...plugin, [askServer]: { out: '19.03.15 Engine\n' } },
      'Docker 19.03.15 cannot run on cgroup v2 (20.10 or newer needed)',
    ],
    [
      'its compose is version 1',
      { ...server, 'docker-compose version --short': { out: '1.29.2\n' } },
      'docker-compose 1.29.2 counts an exited dependency as healthy; up --wait starts nothing (2 or newer needed)',
    ],
    [
      'its compose is an old version 2',
      { ...server, 'docker compose version --short': { out: '2.12.2\n' } },
      'docker-compose 2.12.2 cannot be told to be quiet (no --progress) (2.19 or newer needed)',
    ],
    [
      'Podman answers in its place',
      { ...plugin, [askServer]: { out: '5.4.2 Podman Engine\n' } },
      'docker here speaks to Podman 5.4.2',
    ],
    [
      'it is the script that stands in for it',
      {
        [askServer]: { ok: false, err: 'Emulate Docker CLI using podman. Create /etc/containers/nodocker\n' },
      },
      'docker here is Podman by another name',
    ],
  ])('cannot when %s', async (_, answers, reason) => {
    const found = await findDocker(machine(answers));
    expect(found).toMatchObject({ availability: { name: 'docker', available: false, reason } });
    expect(found).not.toHaveProperty('command');
  });

  it('keeps the reason of each program that was passed over', async () => {
    const old = { 'docker compose version --short': { out: '2.12.2\n' } };
    const fresh = { 'docker-compose version --short': { out: '2.40.3\n' } };
    const { candidates } = await findDocker(machine({ ...server, ...old, ...fresh }));
    expect(candidates).toEqual([
      {
        what: 'docker-compose 2.12.2',
        reason: 'cannot be told to be quiet (no --progress) (2.19 or newer needed)',
        isChosen: false,
      },
      { what: 'docker-compose', reason: 'Docker 28.2.2, Compose 2.40.3', isChosen: true },
    ]);
  });
});
