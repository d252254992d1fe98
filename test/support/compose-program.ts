import { spawnSync } from 'node:child_process';

/** The command line of a Docker Compose v2: named by DOCKER_COMPOSE_PROGRAM, a docker plugin, or a program on PATH. */
export function findCompose(): readonly string[] | undefined {
  const named = process.env['DOCKER_COMPOSE_PROGRAM'];
  const candidates = [...(named ? [[named]] : []), ['docker', 'compose'], ['docker-compose']];
  return candidates.find(([program = '', ...args]) => {
    const { status, stdout } = spawnSync(program, [...args, 'version', '--short'], { encoding: 'utf8' });
    return status === 0 && /^v?[2-9]/.test(stdout.trim());
  });
}

/** Whether its absence is a failure: LOCKSTEP_REQUIRE names `compose`. */
export const isComposeRequired = (process.env['LOCKSTEP_REQUIRE'] ?? '').split(',').includes('compose');
