import { Failure, redact } from '@lockstep/foundation';
import { askEngines } from '../choose.ts';
import type { Lookup } from '../compose/interpolate.ts';
import { checkCompose, viewProject } from '../doctor/check-compose.ts';
import { renderSections, type Section } from '../doctor/finding.ts';
import { imageFindings } from '../doctor/images.ts';
import { engineFindings, programFindings } from '../doctor/machine.ts';
import { projectFindings } from '../doctor/project.ts';
import { settingsOf } from '../prepare.ts';
import type { Project } from '../project.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/**
 * Looks at all the stack needs from this machine, and at its compose files; returns 0 when some engine can run the stack,
 * else 3, whatever else is found.
 */
export async function doctor(
  options: GlobalOptions & { readonly format: 'text' | 'json' },
  terminal: Terminal,
): Promise<number> {
  const project = projectOf(options);
  const setting = readableSettings(project);
  const view = viewProject(project, setting);
  const candidates = await askEngines();
  const [images, programs, ofProject] = await Promise.all([
    imageFindings(view, setting, candidates),
    programFindings(),
    projectFindings(project),
  ]);
  const canRun = candidates.some(({ availability }) => availability.available);
  const sections: Section[] = [
    { title: 'engines', findings: engineFindings(candidates) },
    { title: 'programs', findings: programs },
    { title: 'project', findings: ofProject },
    { title: 'images', findings: images },
    { title: 'compose files', findings: checkCompose(view) },
  ];
  const text =
    options.format === 'json'
      ? `${JSON.stringify({ canRun, sections }, null, 2)}\n`
      : renderSections(sections);
  terminal.out(redact(text));
  return canRun ? 0 : 3;
}

/** A `.env` that cannot be read is found among the project's findings; the files' defaults serve for the rest. */
function readableSettings(project: Project): Lookup {
  try {
    return settingsOf(project);
  } catch (error) {
    if (error instanceof Failure) return () => undefined;
    throw error;
  }
}
