import { Failure, toFailure } from '@lockstep/foundation';
import { reasons, remedy } from '../../build/machine.mjs';
import { systemCode } from '../errors.ts';

/** The system refused: no right, no room, a read-only disk. Says whose the path is, and what to do. Exit status 3. */
export class SystemFailure extends Failure {
  constructor(
    fact: string,
    detail: { evidence: readonly string[]; hint: string | undefined; cause: unknown; exitStatus?: number },
  ) {
    const { evidence, hint, cause, exitStatus = 3 } = detail;
    super(fact, { code: 'system', exitStatus, evidence, cause, ...(hint === undefined ? {} : { hint }) });
  }
}

/**
 * Turns what was thrown into what is printed. A refusal of the system, thrown as it was or wrapped by a failure that gives
 * no advice of its own, becomes a {@link SystemFailure} with the path and the remedy; anything else stays as it is.
 *
 * @param place what is looked at when the error names no path, as one of a write that found no room does not
 */
export function explain(error: unknown, place: string): Failure {
  const refused = refusalIn(error);
  const failure = toFailure(error);
  if (refused === undefined || failure.hint !== undefined) return failure;
  const { path = pathIn(failure.message) ?? place, code, syscall } = refused;
  const { evidence, hint } = remedy(path, code);
  if (error instanceof Failure) {
    const { exitStatus } = error;
    const all = [...error.evidence, ...evidence];
    return new SystemFailure(error.message, { evidence: all, hint, cause: error, exitStatus });
  }
  const fact = `cannot ${verbOf(syscall)} ${path}: ${reasons[code]}`;
  return new SystemFailure(fact, { evidence, hint, cause: error });
}

interface Refusal {
  readonly code: string;
  readonly path: string | undefined;
  readonly syscall: string | undefined;
}

/** The system error that `error` is, or was caused by. */
function refusalIn(error: unknown): Refusal | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = systemCode(at);
    if (code === undefined || reasons[code] === undefined) continue;
    return { code, path: textOf(at, 'path'), syscall: textOf(at, 'syscall') };
  }
  return undefined;
}

function textOf(error: Error, name: 'path' | 'syscall'): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

/** `cannot write /a/b: no space …` names the path that the system did not. */
function pathIn(message: string): string | undefined {
  return /(?:^| )(\/.+?): [^:]+$/.exec(message)?.[1];
}

const reading = new Set(['scandir', 'stat', 'lstat', 'read', 'access', 'readlink', 'realpath', 'statfs']);

function verbOf(syscall = ''): string {
  if (/^spawn/.test(syscall)) return 'run';
  if (syscall === 'connect') return 'connect to';
  return reading.has(syscall) ? 'read' : syscall === 'open' ? 'open' : 'write';
}
