import { Failure } from '@lockstep/foundation';
import type { Candidate } from '../choose.ts';
import type { Lookup } from '../compose/interpolate.ts';
import { profileRule } from '../compose/profiles.ts';
import { imageStates } from '../images/image-state.ts';
import { parseReference } from '../images/reference.ts';
import { type ComposeView, mapAt, type ServiceView, textAt, wordsAt } from './compose-view.ts';
import type { Finding } from './finding.ts';

/** What `make images OFFLINE=1` builds for the services that are built in on the embedded engine. */
const standIns: Readonly<Record<string, string>> = {
  postgres: 'lockstep/offline-postgres:18',
  vault: 'lockstep/offline-vault:dev',
};
const answerMilliseconds = 5_000;

/** An image that a start needs. */
interface NeededImage {
  readonly text: string;
  /** Whether this project builds it. */
  readonly isOurs: boolean;
  readonly standIn: string | undefined;
}

/** Whether the images of the services that take part are there, on each container engine that can run the stack. */
export async function imageFindings(
  view: ComposeView,
  setting: Lookup,
  candidates: readonly Candidate[],
): Promise<Finding[]> {
  const takesPart = profileRule(setting);
  const services = view.services.filter(({ map }) => takesPart(wordsAt(map, 'profiles') ?? []));
  const needed = new Map(services.flatMap(neededImage).map((image) => [image.text, image]));
  const programs = candidates.flatMap(({ availability: { name, available } }) =>
    available && name !== 'embedded' ? [name] : [],
  );
  return (await Promise.all(programs.map((program) => findingsOn(program, [...needed.values()])))).flat();
}

function neededImage({ map }: ServiceView): NeededImage[] {
  const text = textAt(map, 'image');
  const embedded = mapAt(map, 'x-embedded');
  const program = (embedded && textAt(embedded, 'program')) ?? '';
  return text === undefined || text === ''
    ? []
    : [{ text, isOurs: map.entries.has('build'), standIn: standIns[program] }];
}

async function findingsOn(program: 'docker' | 'podman', needed: readonly NeededImage[]): Promise<Finding[]> {
  try {
    const texts = needed.flatMap(({ text, standIn }) => (standIn === undefined ? [text] : [text, standIn]));
    const references = texts.map((text) => parseReference(text, 'image'));
    const there = await imageStates(program, references, AbortSignal.timeout(answerMilliseconds));
    const missing = needed.filter(({ text }) => !there.has(text));
    if (missing.length === 0)
      return [{ mark: 'good', text: `${program}: all ${needed.length} images are there` }];
    return missing.map(({ text, isOurs, standIn }): Finding => {
      if (isOurs) return { mark: 'note', text: `${program}: ${text} is not built; make up builds it` };
      if (standIn !== undefined && there.has(standIn))
        return { mark: 'note', text: `${program}: ${text} is not there; make up uses ${standIn} instead` };
      return {
        mark: 'note',
        text: `${program}: ${text} is not there; make up pulls it`,
        ...(standIn === undefined ? {} : { act: 'without a registry: make images OFFLINE=1' }),
      };
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ mark: 'note', text: `${program}: its images could not be listed: ${error.message}` }];
  }
}
