import type { EngineName } from '../engine.ts';
import { PreflightError } from '../errors.ts';
import type { Project } from '../project.ts';

/** Characters that an engine takes for its own punctuation when it mounts a path; no quoting helps. */
const misread: Readonly<Record<EngineName, string>> = { docker: ':', podman: ':,"', embedded: '' };

/** What an engine cannot mount a project's files for, as a fact; undefined when it can. */
export function oddPathFact({ root }: Pick<Project, 'root'>, engine: EngineName): string | undefined {
  const found = [...misread[engine]].filter((character) => root.includes(character));
  if (found.length === 0) return undefined;
  return `${engine} cannot mount from a path with ${found.join(' ')} in it`;
}

/** @throws {PreflightError} when the engine cannot mount the project's files; nothing was made */
export function refuseOddPath(project: Pick<Project, 'root'>, engine: EngineName): void {
  const fact = oddPathFact(project, engine);
  if (fact === undefined) return;
  throw new PreflightError(fact, {
    evidence: [project.root],
    hint: 'another folder; or make up ENGINE=embedded',
  });
}
