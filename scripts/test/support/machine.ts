import type { Ask } from '../../src/engines/compose-program.ts';

/** What a program says when it is asked; with `ok: false` it ends badly. */
export interface Told {
  readonly out?: string;
  readonly err?: string;
  readonly ok?: boolean;
}

/** A machine on which each command line says what it is told to; all other programs are missing. */
export function machine(answers: Readonly<Record<string, Told>>): Ask {
  return async (program, args) => {
    const answer = answers[[program, ...args].join(' ')];
    if (answer === undefined) return { ok: false, stdout: '', stderr: '', missing: true };
    return { ok: answer.ok ?? true, stdout: answer.out ?? '', stderr: answer.err ?? '', missing: false };
  };
}

/** What asks a Docker server for its version and its name. */
export const askServer =
  'docker version --format {{.Server.Version}} {{with .Server.Components}}{{(index . 0).Name}}{{end}}';
