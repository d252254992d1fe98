import { execa } from 'execa';
import { environment } from '../environment.ts';
import { EngineError, EngineUnavailable, Interrupted, PreflightError } from '../errors.ts';

/** The command line of a container engine. */
export type ContainerProgram = 'docker' | 'podman';

/** What the program said. */
export interface Said {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the engine's program and returns what it said, whatever its exit status.
 *
 * @throws {EngineUnavailable} when the program is missing or the engine does not answer
 * @throws {PreflightError} when the engine has no space left
 * @throws {Interrupted} when `signal` ended it
 */
export async function callEngine(
  program: ContainerProgram,
  args: readonly string[],
  options: { readonly signal?: AbortSignal; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Said> {
  const { exitCode, stdout, stderr, isCanceled, code } = await execa(program, [...args], {
    reject: false,
    stdin: 'ignore',
    env: { ...environment, ...options.env },
    forceKillAfterDelay: 5_000,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  throwIfInterrupted(isCanceled ? options.signal : undefined);
  if (code === 'ENOENT' || code === 'EACCES') {
    throw new EngineUnavailable(`${program} is not on PATH`, [], undefined);
  }
  const said = { exitStatus: exitCode ?? 1, stdout: String(stdout), stderr: String(stderr) };
  if (said.exitStatus !== 0) throwKnown(program, said.stderr);
  return said;
}

/** @throws {Interrupted} when somebody asked to stop */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Interrupted(signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
}

/**
 * As {@link callEngine}, for what has to succeed.
 *
 * @param fact what did not work, for the failure's first line
 * @throws {EngineError} with the program's last words
 */
export async function succeed(
  program: ContainerProgram,
  args: readonly string[],
  fact: string,
  options: { readonly signal?: AbortSignal; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const said = await callEngine(program, args, options);
  if (said.exitStatus === 0) return said.stdout;
  throw new EngineError(fact, lastLines(said));
}

function throwKnown(program: ContainerProgram, stderr: string): void {
  const line = (pattern: RegExp) =>
    stderr
      .split('\n')
      .find((text) => pattern.test(text))
      ?.trim();
  const away = line(/cannot connect to|is the docker daemon running|permission denied.*docker.*(api|sock)/i);
  if (away !== undefined) throw new EngineUnavailable(`${program} did not answer`, [away], 'make doctor');
  const full = line(/no space left on device|disk quota exceeded/i);
  if (full !== undefined) {
    throw new PreflightError(`${program} has no space left for images`, {
      evidence: [full],
      hint: `${program} system df shows what takes it`,
    });
  }
}

/** The legacy builder's note on itself says nothing about the failure. */
function lastLines({ stdout, stderr }: Said): string[] {
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map((text) => text.trimEnd())
    .filter(
      (text) => text !== '' && !/^(DEPRECATED: |\s+(Install the buildx|BuildKit is currently))/.test(text),
    );
  return lines.slice(-8);
}
