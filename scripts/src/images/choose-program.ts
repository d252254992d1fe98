import { recordedEngine } from '../choose.ts';
import type { EngineName } from '../engine.ts';
import { askWithin, briefly, patiently } from '../engines/ask.ts';
import { EngineUnavailable, UsageError } from '../errors.ts';
import type { Project } from '../project.ts';
import type { ContainerProgram } from './container-program.ts';

/**
 * Chooses whose images are meant: the named engine's; with `auto` those of the engine that runs the stack, else of the first
 * of docker and podman that answers. Compose is not needed for images.
 *
 * @throws {UsageError} for the embedded engine, which has none
 * @throws {EngineUnavailable} with every reason when none answers
 */
export async function chooseContainerProgram(
  wanted: EngineName | 'auto',
  project: Project,
): Promise<ContainerProgram> {
  if (wanted === 'embedded') {
    throw new UsageError('the embedded engine has no images', { hint: 'make images ENGINE=docker' });
  }
  const recorded = recordedEngine(project);
  const first = recorded === undefined || recorded === 'embedded' ? [] : [recorded];
  const candidates = wanted === 'auto' ? [...new Set([...first, 'docker', 'podman'] as const)] : [wanted];
  const ask = askWithin(candidates.length === 1 ? patiently : briefly);
  const reasons: string[] = [];
  for (const name of candidates) {
    const format = name === 'docker' ? '{{.Server.Version}}' : '{{.Client.Version}}';
    const said = await ask(name, ['version', '--format', format]);
    if (said.ok) return name;
    const why = said.missing ? 'not on PATH' : (said.stderr.trim().split('\n')[0] ?? 'no answer');
    reasons.push(`${name}: ${why}`);
  }
  throw new EngineUnavailable('no container engine answered', reasons, 'make doctor');
}
