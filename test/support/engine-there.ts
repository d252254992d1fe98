import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';

/** Before the tests on a container engine: that engine must be able to run the stack, and the images must be there. */
export default function setup(project: TestProject): void {
  const engine = project.name === 'docker' ? 'docker' : 'podman';
  const { status, stderr } = spawnSync(
    process.execPath,
    ['scripts/dist/stack.js', '--engine', engine, 'images', '--offline'],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  if (status === 0) return;
  throw new Error(
    `the tests on ${project.name} cannot run here:\n${stderr}  try: make doctor, which says what is missing`,
  );
}
