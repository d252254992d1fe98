import { EngineError } from '../errors.ts';
import { type ContainerProgram, callEngine } from './container-program.ts';
import { type ImageReference, meansSame } from './reference.ts';

/** An image the engine has. */
export interface ImageState {
  /** 64 digits, without `sha256:`. */
  readonly id: string;
  /** All its layers, those it shares with others included. */
  readonly bytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Of what it was made, when this project made it. */
  readonly key: string | undefined;
  readonly isStandIn: boolean;
}

/** The label that holds the hash of all an image was made of. */
export const keyLabel = 'dev.lockstep.key';
/** The label, `true`, of an image that stands in for an official one. */
export const standInLabel = 'dev.lockstep.stand-in';
/** The label that holds the name an image was built under, so that it is found when another has taken the name. */
export const nameLabel = 'dev.lockstep.image';

/**
 * Asks the engine, in one call and without touching a registry, which images it has.
 *
 * @returns those that are there, by the text of their reference
 * @throws {EngineUnavailable} when the engine does not answer
 */
export async function imageStates(
  program: ContainerProgram,
  references: readonly ImageReference[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ImageState>> {
  if (references.length === 0) return new Map();
  const texts = references.map(({ text }) => text);
  const said = await callEngine(
    program,
    ['image', 'inspect', ...texts],
    signal === undefined ? {} : { signal },
  );
  const found = readInspected(said.stdout);
  // One that is missing ends it with a status of its own, after the others were printed.
  if (found === undefined)
    throw new EngineError(`${program} image inspect was not understood`, said.stderr.split('\n'));
  return new Map(
    references.flatMap((reference) => {
      const match = found.find(({ names }) => names.some((name) => meansSame(reference, name)));
      return match === undefined ? [] : [[reference.text, match.state]];
    }),
  );
}

interface Inspected {
  readonly names: readonly string[];
  readonly state: ImageState;
}

/** The documents of `image inspect`, or undefined when they are none. */
export function readInspected(json: string): Inspected[] | undefined {
  try {
    const documents: unknown = json.trim() === '' ? [] : JSON.parse(json);
    return Array.isArray(documents) ? documents.map(readOne) : undefined;
  } catch {
    return undefined;
  }
}

interface Document {
  readonly Id?: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size?: number;
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null } | null;
}

function readOne(document: Document): Inspected {
  const labels = document.Config?.Labels ?? {};
  return {
    names: [...(document.RepoTags ?? []), ...(document.RepoDigests ?? [])],
    state: {
      id: (document.Id ?? '').replace(/^sha256:/, ''),
      bytes: document.Size ?? 0,
      labels,
      key: labels[keyLabel],
      isStandIn: labels[standInLabel] === 'true',
    },
  };
}
