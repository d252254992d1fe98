import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import { isAlive, ownStamp, parseStamp } from '../pid.ts';
import { type ContainerProgram, callEngine, succeed } from './container-program.ts';
import { keyLabel, nameLabel } from './image-state.ts';

/** What the engine builds an image from. */
export interface ImageBuild {
  readonly reference: string;
  /** The folder whose files the Dockerfile copies. */
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly key: string;
}

/**
 * Has the engine build an image. It gets its name when it is whole: cut off, the name stays with what had it before.
 *
 * @throws {EngineError} with the builder's last words
 */
export async function buildImage(
  program: ContainerProgram,
  build: ImageBuild,
  signal?: AbortSignal,
): Promise<void> {
  const { reference, context, args, labels, key } = build;
  const file = join(context, `Dockerfile-${key}`);
  const allLabels = { ...labels, [keyLabel]: key, [nameLabel]: reference };
  writeFileSync(file, `${build.dockerfile.trimEnd()}\n${labelInstruction(allLabels)}\n`);
  const words = [
    'build',
    // OCI's own format has no health checks; and one layer, since the key says already what need not be built.
    ...(program === 'podman' ? ['--format', 'docker', '--layers=false'] : []),
    ...['--tag', reference, '--file', file],
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    context,
  ];
  await runBuild(program, words, `${program} could not build ${reference}`, signal);
}

/** As the last instruction and not as --label, which Podman forgets when it has built all the rest before. */
export function labelInstruction(labels: Readonly<Record<string, string>>): string {
  const quoted = (text: string) => `"${text.replace(/["\\$]/g, '\\$&').replace(/[\r\n]+/g, ' ')}"`;
  const pairs = Object.entries(labels).map(([name, value]) => `${quoted(name)}=${quoted(value)}`);
  return `LABEL ${pairs.join(' ')}`;
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
