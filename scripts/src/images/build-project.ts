import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openToAll } from '../checkout/modes.ts';
import { PreflightError, systemReason } from '../errors.ts';
import { type BaseImage, chooseBaseImages, pullImage } from './base-images.ts';
import { buildImage, withContext } from './build-image.ts';
import type { BuildPlace, BuiltImage } from './build-stand-ins.ts';
import { throwIfInterrupted } from './container-program.ts';
import { type ImageState, imageStates, standInLabel } from './image-state.ts';
import {
  dockerfileOf,
  type ProgramFile,
  type ProjectImage,
  projectImageKey,
  projectImages,
  projectVersion,
  readPrograms,
} from './project-images.ts';
import { parseReference } from './reference.ts';
import { removeReplaced } from './replaced.ts';

/** An image of the project as it should be, and as it is. */
export interface PlannedImage {
  readonly image: ProjectImage;
  readonly programs: readonly ProgramFile[];
  readonly dockerfile: string;
  readonly key: string;
  /** Undefined when the engine has none of that name. */
  readonly state: ImageState | undefined;
  /** Whether it is there and made of the same. */
  readonly isCurrent: boolean;
}

/** All images of the project, and what they are built from. */
export interface ProjectPlan {
  readonly base: BaseImage;
  readonly baseState: ImageState;
  readonly version: string;
  /** What the engine had under the images' names. */
  readonly states: ReadonlyMap<string, ImageState>;
  readonly images: readonly PlannedImage[];
}

/**
 * Looks which of the project's images are current, and builds nothing. The Node image is pulled when the engine has none:
 * without it nobody can say.
 *
 * @param setting the value of a setting: NODE_IMAGE, LOCKSTEP_IMAGE_PREFIX, LOCKSTEP_IMAGE_TAG
 */
export async function planProjectImages(
  place: BuildPlace,
  setting: (name: string) => string | undefined,
): Promise<ProjectPlan> {
  const { program, root, signal } = place;
  const images = projectImages(root, setting);
  const text = readDockerfile(root);
  const references = images.map(({ reference }) => parseReference(reference, 'image'));
  const [[base], states] = await Promise.all([
    chooseBaseImages(program, setting, ['NODE_IMAGE'], signal),
    imageStates(program, references, signal),
  ]);
  if (base === undefined) throw new TypeError('no base image was chosen');
  if (base.state === undefined) place.report(`pulling ${base.reference.text}`);
  const baseState = base.state ?? (await pullImage(program, base, signal));
  const version = projectVersion(root);
  const planned = images.map((image) => {
    const programs = readPrograms(root, image);
    const dockerfile = dockerfileOf(image, text);
    const key = projectImageKey(image, programs, { dockerfile, baseId: baseState.id, version });
    const state = states.get(image.reference);
    return { image, programs, dockerfile, key, state, isCurrent: state?.key === key };
  });
  return { base, baseState, version, states, images: planned };
}

/**
 * Builds those of the project's images that are not current, from the programs that are built on this machine.
 *
 * @throws {PreflightError} when a program is not built, or the Node image can be neither found nor pulled
 * @throws {EngineError} with the builder's own words
 */
export async function buildProjectImages(
  place: BuildPlace,
  setting: (name: string) => string | undefined,
): Promise<BuiltImage[]> {
  const plan = await planProjectImages(place, setting);
  const stale = plan.images.filter(({ isCurrent }) => !isCurrent);
  const seconds = stale.length === 0 ? new Map<string, number>() : await buildAll(place, plan, stale);
  const after = stale.length === 0 ? plan.states : await statesAfter(place, plan);
  return plan.images.map(({ image }) => {
    const bytes = after.get(image.reference)?.bytes ?? 0;
    const spent = seconds.get(image.reference);
    return {
      reference: image.reference,
      title: `on ${plan.base.reference.text}`,
      built: spent !== undefined,
      seconds: spent ?? 0,
      bytes,
      ownBytes: bytes - plan.baseState.bytes,
    };
  });
}

/** The images as they are after a build; those that lost their names to them are gone. */
async function statesAfter(
  { program, stateFolder, signal }: BuildPlace,
  { images, states }: ProjectPlan,
): Promise<ReadonlyMap<string, ImageState>> {
  const references = images.map(({ image }) => parseReference(image.reference, 'image'));
  const after = await imageStates(program, references, signal);
  await removeReplaced(program, join(stateFolder, 'images'), states, after);
  return after;
}

async function buildAll(
  place: BuildPlace,
  plan: ProjectPlan,
  stale: readonly PlannedImage[],
): Promise<Map<string, number>> {
  return withContext(join(place.stateFolder, 'images'), async (context) => {
    writeContext(context, stale);
    const seconds = new Map<string, number>();
    const build = async (one: PlannedImage) => {
      const from = performance.now();
      await buildOne(place, plan, context, one);
      seconds.set(one.image.reference, (performance.now() - from) / 1000);
    };
    const [first, ...others] = stale;
    // Alone: it builds the stages that the others share.
    if (first !== undefined) await build(first);
    await inTurns(others, build);
    return seconds;
  });
}

async function buildOne(
  place: BuildPlace,
  { base, version }: ProjectPlan,
  context: string,
  { image: { reference, args }, dockerfile, key }: PlannedImage,
): Promise<void> {
  throwIfInterrupted(place.signal);
  place.report(`building ${reference}`);
  const allArgs = { NODE_IMAGE: base.reference.text, VERSION: version, ...args };
  // Labels are handed down from the base, this one among them.
  const labels = { 'org.opencontainers.image.base.name': base.reference.text, [standInLabel]: 'false' };
  await buildImage(
    place.program,
    { reference, context, dockerfile, args: allArgs, labels, key },
    place.signal,
  );
}

/** A few at a time; after a failure none is begun, and those under way are waited for. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const failures: unknown[] = [];
  const turn = async () => {
    for (let one = waiting.shift(); one !== undefined && failures.length === 0; one = waiting.shift()) {
      await work(one).catch((error: unknown) => void failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: 4 }, turn));
  if (failures.length > 0) throw failures[0];
}

/** Every program, at the path it has in the project, and readable by whatever user a container has: COPY keeps the modes. */
function writeContext(context: string, images: readonly PlannedImage[]): void {
  try {
    for (const { image, programs } of images) {
      for (const { path, bytes } of programs) {
        const file = join(context, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, bytes);
      }
      for (const folder of image.folders) mkdirSync(join(context, folder), { recursive: true });
    }
    openToAll(context);
  } catch (error) {
    throw new PreflightError(`cannot write the images' files to ${context}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

function readDockerfile(root: string): string {
  const file = join(root, 'Dockerfile');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PreflightError(`cannot read ${file}: ${systemReason(error)}`, { cause: error });
  }
}
