import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { copyProject, type ProjectCopy, project } from '../support/project-copy.ts';
import { type Ended, ended, testEngine } from '../support/stack.ts';

const tag = `umask-${process.pid}`;
const made: { copy?: ProjectCopy; environment?: NodeJS.ProcessEnv } = {};
afterAll(async () => {
  if (made.copy !== undefined) expect((await strictly('YES=1 stack down --volumes')).status).toBe(0);
  const own = `${testEngine} image ls --quiet --filter "reference=*/*:${tag}"`;
  await strictly(`${testEngine} image rm --force $(${own} | sort -u)`);
  await made.copy?.remove();
});

/** Runs a shell line in the copy, under umask 077; `stack` is the command of this checkout. */
function strictly(line: string): Promise<Ended> {
  const { copy, environment } = made;
  if (copy === undefined) throw new Error('there is no copy');
  const stack = `stack() { ${process.execPath} "${join(project, 'scripts/dist/stack.js')}" "$@"; }`;
  return ended(
    spawn('/bin/sh', ['-c', `umask 077; ${stack}; ${line}`], {
      cwd: copy.root,
      env: environment ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

test('F8.3 images of a checkout under umask 077 run, and what is mounted is named with its mode', async () => {
  const copy = await copyProject();
  made.copy = copy;
  const ports = ['POSTGRES_PORT', 'VAULT_PORT', 'SERVICES_API_PORT', 'CONTENT_API_PORT'];
  const free = await Promise.all(ports.map(async (name) => [name, String(await freePort())] as const));
  made.environment = {
    ...process.env,
    ENGINE: testEngine,
    ...Object.fromEntries(free),
    // Images of its own: those of the other tests are made of the same.
    LOCKSTEP_IMAGE_TAG: tag,
  };
  // As a clone under that umask, with the programs that make built in it.
  const dists = ['migrations', 'vault', 'services-api', 'content-api'];
  const copied = await strictly(
    dists.map((name) => `cp -rL "${join(project, name, 'dist')}" ${name}/dist`).join(' && '),
  );
  expect(copied.status, copied.stderr).toBe(0);
  expect((await strictly('chmod -R go-rwx services-api content-api vault migrations')).status).toBe(0);
  const images = await strictly('stack images --offline');
  expect(images.status, images.stderr).toBe(0);
  expect(images.stdout).toMatch(/^lockstep\/migrate:\S+ +built/m);
  const closed = await strictly('stack up');
  expect(closed.stderr).toMatch(
    /^warning: closed to the containers that mount it: vault\/policies \(mode 0700\) and 2 others\n {2}try: chmod -R a\+rX vault\/policies services-api\/migrations content-api\/migrations$/m,
  );
  expect(closed.stderr).not.toMatch(/^\s+at /m);
  expect((await strictly('chmod -R a+rX vault/policies */migrations')).status).toBe(0);
  const up = await strictly('stack up');
  expect(up.status, up.stderr).toBe(0);
  expect(up.stderr).not.toContain('warning: closed');
});
