import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import { isAlive, ownStamp, parseStamp } from '../pid.ts';
import { type ContainerProgram, callEngine, succeed } from './container-program.ts';
import { keyLabel, nameLabel } from './image-state.ts';

/** What the engine builds an image from. */
export interface ImageBuild {
  readonly reference: string;
  /** The folder with the Dockerfile. */
  readonly context: string;
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly key: string;
}

/**
 * Has the engine build an image. It gets its name when it is whole: cut off, the name stays with what had it before. An
 * image that lost its name to this one is removed, unless a container is made of it.
 *
 * @throws {EngineError} with the builder's last words
 */
export async function buildImage(
  program: ContainerProgram,
  build: ImageBuild,
  signal?: AbortSignal,
): Promise<void> {
  const { reference, context, target, args, labels, key } = build;
  const allLabels = { ...labels, [keyLabel]: key, [nameLabel]: reference };
  const words = [
    'build',
    // OCI's own format has no health checks.
    ...(program === 'podman' ? ['--format', 'docker'] : []),
    ...['--tag', reference],
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(allLabels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    context,
  ];
  await runBuild(program, words, `${program} could not build ${reference}`, signal);
  await removeNameless(program, reference);
}

async function runBuild(
  program: ContainerProgram,
  words: readonly string[],
  fact: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const said = await callEngine(program, words, options);
  if (said.exitStatus === 0) return;
  // DOCKER_BUILDKIT=1 is set, and the plugin that it needs is not installed.
  const env = /buildx component is missing/.test(said.stderr) ? { DOCKER_BUILDKIT: '0' } : {};
  await succeed(program, words, fact, { ...options, env });
}

/** Images that were built under this name and lost it. One that is in use stays: the engine refuses. */
async function removeNameless(program: ContainerProgram, reference: string): Promise<void> {
  const filters = ['--filter', 'dangling=true', '--filter', `label=${nameLabel}=${reference}`];
  const { stdout } = await callEngine(program, ['image', 'ls', '--quiet', '--no-trunc', ...filters]);
  const ids = [...new Set(stdout.split('\n').filter((line) => line !== ''))];
  if (ids.length > 0) await callEngine(program, ['image', 'rm', ...ids]);
}

/**
 * Gives `work` an empty folder below `folder`, and removes it however `work` ends. In the project and not in the system's
 * temporary folder, which an engine from a snap cannot read and which may be memory.
 *
 * @throws {PreflightError} when nothing can be written there
 */
export async function withContext<T>(folder: string, work: (context: string) => Promise<T>): Promise<T> {
  let context: string;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    removeLeftovers(folder);
    context = mkdtempSync(join(folder, `${contextName(JSON.stringify(ownStamp()))}-`));
  } catch (error) {
    throw new PreflightError(`cannot write to ${folder}: ${systemReason(error)}`, { cause: error });
  }
  try {
    return await work(context);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function contextName(stamp: string): string {
  return `context-${Buffer.from(stamp).toString('base64url')}`;
}

/** Of builds that were killed. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, encoded] = /^context-([\w-]+)-.{6}$/.exec(name) ?? [];
    const stamp =
      encoded === undefined ? undefined : parseStamp(Buffer.from(encoded, 'base64url').toString());
    if (stamp !== undefined && !isAlive(stamp)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
