import { recordedEngine } from '../choose.ts';
import type { Progress } from '../engine.ts';
import { chooseBaseImages, officialImages, pullImage } from '../images/base-images.ts';
import { buildProjectImages } from '../images/build-project.ts';
import type { ContainerProgram } from '../images/container-program.ts';
import type { OpenedStack } from '../prepare.ts';

/** The images of others that the stack's own services run. */
const wanted = ['POSTGRES_IMAGE', 'VAULT_IMAGE'] as const;

/**
 * Sees to it that every image a start needs is there: the project's own are built when what they are made of has changed,
 * those of others pulled when they are missing. With all of them there it costs one question to the engine.
 *
 * @returns the settings with which compose finds the chosen images
 * @throws {PreflightError} when one can neither be found nor pulled nor built
 */
export async function ensureImages(
  program: ContainerProgram,
  { project, setting }: OpenedStack,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const say = (text: string) => report({ kind: 'step', text });
  const place = { program, root: project.root, stateFolder: project.stateFolder, report: say, signal };
  // Both look before either builds or pulls; neither needs the other.
  const [bases] = await Promise.all([
    chooseBaseImages(program, setting, wanted, signal),
    buildProjectImages(place, setting),
  ]);
  for (const base of bases.filter(({ state }) => state === undefined)) {
    say(`pulling ${base.reference.text}`);
    await pullImage(program, base, signal);
  }
  const standIns = bases.filter(({ from }) => from === 'stand-in');
  // Said when a stack is started, not at every look.
  if (standIns.length > 0 && recordedEngine(project) === undefined) {
    const names = standIns.map(({ setting: name }) => officialImages[name]).join(', ');
    say(`images: stand-ins built on this machine for ${names}; a pulled one would be taken instead`);
  }
  return Object.fromEntries(bases.map((base) => [base.setting, base.reference.text]));
}
