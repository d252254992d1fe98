import { describe, expect, it } from 'vitest';
import { askServer, machine } from '../../test/support/machine.ts';
import { findPodman } from './podman-program.ts';

const info =
  'podman info --format {{.Version.Version}}|{{with .Host.RemoteSocket}}{{.Path}}{{end}}|{{.Host.ServiceIsRemote}}';
const podman = { [info]: { out: '5.4.2|/run/podman/podman.sock|false\n' } };
const old = { [info]: { out: '4.3.1|/run/podman/podman.sock|false\n' } };
const listening = { 'podman --remote version --format {{.Server.Version}}': { out: '5.4.2\n' } };
const plugin = { 'docker compose version --short': { out: '2.40.3\n' } };
const provider = {
  'podman compose version': {
    out: 'Docker Compose version 2.40.3-1\n',
    err: '>>>> Executing external compose provider "/usr/libexec/docker-compose". Please see podman-compose(1)',
  },
};
const stepped = { 'podman-compose version --short': { out: '1.6.0\n' } };
const unrecognised = { ok: false, err: 'podman-compose: error: unrecognized arguments: --short\n' };
const oldest = {
  'podman-compose version --short': unrecognised,
  'podman-compose version': {
    out: "['podman', '--version', '']\nusing podman version: 5.4.2\npodman-composer version  1.0.3\npodman --version \nexit code: 0\n",
  },
};

describe('podman', () => {
  it.each([
    [
      "Docker Compose 2 as podman's provider",
      { ...podman, ...listening, ...provider },
      'Podman 5.4.2, Compose 2.40.3-1',
      {
        command: ['/usr/libexec/docker-compose'],
        environment: { DOCKER_HOST: 'unix:///run/podman/podman.sock' },
        needsService: false,
      },
    ],
    [
      "Docker's own plugin on its socket",
      { ...podman, ...listening, ...plugin },
      'Podman 5.4.2, Compose 2.40.3',
      { command: ['docker', 'compose'], environment: { DOCKER_HOST: 'unix:///run/podman/podman.sock' } },
    ],
    [
      'Compose 2 where DOCKER_HOST leads to Podman',
      { ...podman, ...plugin, [askServer]: { out: '5.4.2 Podman Engine\n' } },
      'Podman 5.4.2, Compose 2.40.3',
      { command: ['docker', 'compose'], environment: {}, needsService: false },
    ],
    [
      'Compose 2 on a socket of its own where none listens',
      { ...podman, ...plugin, ...stepped },
      'Podman 5.4.2, Compose 2.40.3 on a socket of its own',
      { flavour: 'compose', needsService: true },
    ],
    [
      'podman-compose where there is no Compose 2',
      { ...podman, ...listening, ...stepped },
      'Podman 5.4.2, podman-compose 1.6.0',
      { flavour: 'podman-compose', command: ['podman-compose'], needsService: false },
    ],
    [
      'podman-compose 1.0.3, which says its version in its own way',
      { ...podman, ...oldest },
      'Podman 5.4.2, podman-compose 1.0.3',
      { flavour: 'podman-compose', versions: { engine: '5.4.2', compose: '1.0.3' } },
    ],
    [
      'podman-compose rather than Compose 2 before Podman 5.4',
      { ...old, ...listening, ...plugin, ...stepped },
      'Podman 4.3.1, podman-compose 1.6.0',
      { flavour: 'podman-compose' },
    ],
    [
      'Compose 2 before Podman 5.4 where there is no podman-compose',
      { ...old, ...listening, ...plugin },
      'Podman 4.3.1, Compose 2.40.3',
      { flavour: 'compose' },
    ],
  ])('can run the stack with %s', async (_, answers, reason, program) => {
    const found = await findPodman(machine(answers));
    expect(found.availability).toEqual({ name: 'podman', available: true, reason });
    expect(found).toMatchObject({ ...program, program: 'podman' });
  });

  it('calls podman compose where that does not say what it runs', async () => {
    const silent = { 'podman compose version': { out: 'Docker Compose version 2.40.3-1\n' } };
    const found = await findPodman(machine({ ...podman, ...listening, ...silent }));
    expect(found).toMatchObject({ command: ['podman', 'compose'] });
  });

  it('uses podman-compose before any other when PODMAN_COMPOSE_PROVIDER names it', async () => {
    const path = '/opt/with space/podman-compose';
    const answers = { ...podman, ...listening, ...plugin, [`${path} version --short`]: { out: '1.3.0\n' } };
    const found = await findPodman(machine(answers), { PODMAN_COMPOSE_PROVIDER: path });
    expect(found).toMatchObject({
      flavour: 'podman-compose',
      command: [path],
      versions: { engine: '5.4.2', compose: '1.3.0' },
    });
  });

  it('uses the socket that CONTAINER_HOST names', async () => {
    const settings = { CONTAINER_HOST: 'unix:///tmp/podman.sock' };
    const found = await findPodman(machine({ ...podman, ...listening, ...plugin }), settings);
    expect(found).toMatchObject({ environment: { DOCKER_HOST: 'unix:///tmp/podman.sock' } });
  });

  it.each([
    ['it is missing', {}, 'podman is not on PATH'],
    ['it fails', { [info]: { ok: false, err: 'Error: cannot re-exec process\n' } }, 'cannot re-exec process'],
    [
      'it is too old',
      { [info]: { out: '3.4.4||false\n' } },
      'Podman 3.4.4 has no names of containers on an internal network (4.0 or newer needed)',
    ],
    ['nothing composes', podman, 'Podman 5.4.2 has no Docker Compose 2 and no podman-compose'],
    [
      'docker-compose is version 1',
      { ...podman, 'docker-compose version --short': { out: '1.29.2\n' } },
      'Podman 5.4.2: docker-compose 1.29.2 counts an exited dependency as healthy; up --wait starts nothing (2 or newer needed)',
    ],
    [
      'podman-compose is too old',
      { ...podman, 'podman-compose version --short': { out: '0.1.5\n' } },
      'Podman 5.4.2: podman-compose 0.1.5 puts the services of a stack into one pod (1.0.3 or newer needed)',
    ],
  ])('cannot when %s', async (_, answers, reason) => {
    const found = await findPodman(machine(answers));
    expect(found.availability).toEqual({ name: 'podman', available: false, reason });
  });

  it('says what is known to be wrong with what it chose, and what was passed over', async () => {
    const found = await findPodman(machine({ ...old, ...listening, ...plugin, ...oldest }));
    expect(found).toMatchObject({ flavour: 'podman-compose' });
    expect('defects' in found ? found.defects.map(({ fact }) => fact) : []).toEqual([
      'it does not keep the conditions between services: it starts an app whose migrations failed',
      'it rests a second after each container it makes',
      'it glues the words of a health check together',
    ]);
    expect(found.candidates.map(({ what, isChosen }) => [what, isChosen])).toEqual([
      ['Compose 2.40.3', false],
      ['podman-compose', true],
    ]);
  });
});
