import { join } from 'node:path';
import { PreflightError, systemCode, systemReason } from '../errors.ts';
import { buildImage, withContext } from './build-image.ts';
import { findBusybox } from './busybox.ts';
import { type ContainerProgram, throwIfInterrupted } from './container-program.ts';
import { ContentHashes } from './content-hashes.ts';
import { type ImageState, imageStates, standInLabel } from './image-state.ts';
import { nodeBuildStandIn, nodeStandIn } from './node-stand-in.ts';
import { postgresStandIn } from './postgres-stand-in.ts';
import { parseReference } from './reference.ts';
import { removeReplaced } from './replaced.ts';
import { type StandIn, standInKey } from './stand-in.ts';
import { writeTar } from './tar.ts';
import { vaultStandIn } from './vault-stand-in.ts';

/** Where and with what images are built. */
export interface BuildPlace {
  readonly program: ContainerProgram;
  /** The project's folder. */
  readonly root: string;
  /** `.lockstep` */
  readonly stateFolder: string;
  /** Told, in a sentence, what begins. */
  readonly report: (sentence: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One image after a build. */
export interface BuiltImage {
  readonly reference: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** False when it was there already, made of the same. */
  readonly built: boolean;
  readonly seconds: number;
  /** All its layers. */
  readonly bytes: number;
  /** Those it does not share with its base. */
  readonly ownBytes: number;
}

/**
 * Builds what stands in for the official images, from programs of this machine and from npm and Debian packages; one that
 * is there and made of the same stays. No registry is asked.
 *
 * @param withNpm also the image for builds from sources
 * @throws {PreflightError} when something they are made of is missing, by name
 */
export async function buildStandIns(place: BuildPlace, withNpm = false): Promise<BuiltImage[]> {
  if (process.platform !== 'linux') {
    throw new PreflightError('stand-ins can be built on Linux only: they are copies of its programs', {
      evidence: [
        'on other systems pull the official images, or load images that docker save wrote elsewhere',
      ],
    });
  }
  const from = performance.now();
  const standIns = await gather(place, withNpm);
  const references = standIns.map(({ reference }) => parseReference(reference, 'stand-in'));
  const hashes = new ContentHashes(join(place.stateFolder, 'images', 'hashes.json'));
  const keys = new Map(standIns.map((standIn) => [standIn, standInKey(standIn, hashes)]));
  hashes.save();
  const before = await imageStates(place.program, references, place.signal);
  const results = new Map<StandIn, Promise<number | undefined>>();
  // Each after its base, else all at once.
  for (const [standIn, key] of keys) {
    const isThere = before.get(standIn.reference)?.key === key;
    const base = standIn.base === undefined ? undefined : results.get(standIn.base);
    results.set(standIn, isThere ? Promise.resolve(undefined) : buildAfter(base, place, standIn, key, from));
  }
  const seconds = await allOf([...results.values()]);
  const after = await imageStates(place.program, references, place.signal);
  if (seconds.some((one) => one !== undefined))
    await removeReplaced(place.program, join(place.stateFolder, 'images'), before, after);
  return standIns.map((standIn, index) => describe(standIn, seconds[index], after));
}

async function gather({ root, stateFolder }: BuildPlace, withNpm: boolean): Promise<StandIn[]> {
  const packages = join(stateFolder, 'images', 'packages');
  const tools = { root, packages, busybox: await findBusybox(packages) };
  const [node, postgres] = await Promise.all([nodeStandIn(tools), postgresStandIn(tools)]);
  const vault = await vaultStandIn(tools, node);
  return [node, postgres, vault, ...(withNpm ? [nodeBuildStandIn(tools, node)] : [])];
}

/** Returns the seconds it took. */
async function buildAfter(
  base: Promise<unknown> | undefined,
  place: BuildPlace,
  standIn: StandIn,
  key: string,
  from: number,
): Promise<number> {
  await base;
  const started = base === undefined ? from : performance.now();
  throwIfInterrupted(place.signal);
  place.report(`building ${standIn.reference}: ${standIn.title}`);
  await withContext(join(place.stateFolder, 'images'), async (context) => {
    try {
      await writeTar(join(context, 'root.tar'), standIn.tree.entries(), place.signal);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      throw new PreflightError(`cannot write ${standIn.reference}'s files: ${systemReason(error)}`, {
        cause: error,
      });
    }
    const { reference, args, dockerfile } = standIn;
    const labels = labelsOf(standIn);
    await buildImage(place.program, { reference, context, dockerfile, args, labels, key }, place.signal);
  });
  return (performance.now() - started) / 1000;
}

function labelsOf({ title, version }: StandIn): Record<string, string> {
  return {
    [standInLabel]: 'true',
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.description':
      'An offline stand-in, built on this machine; not the official image',
    'org.opencontainers.image.version': version,
  };
}

/** Waits for all, also when one fails: nothing is left half done behind the failure. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function describe(
  { reference, title, base }: StandIn,
  seconds: number | undefined,
  states: ReadonlyMap<string, ImageState>,
): BuiltImage {
  const bytes = states.get(reference)?.bytes ?? 0;
  const ofBase = base === undefined ? 0 : (states.get(base.reference)?.bytes ?? 0);
  return {
    reference,
    title,
    built: seconds !== undefined,
    seconds: seconds ?? 0,
    bytes,
    ownBytes: bytes - ofBase,
  };
}
