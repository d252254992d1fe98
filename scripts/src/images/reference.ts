import { UsageError } from '../errors.ts';

/** An image's name, taken apart. */
export interface ImageReference {
  /** As it was given. */
  readonly text: string;
  /** Registry and folders included; without those that the engines add by themselves. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
// As Docker tells a registry from a folder: by a dot, a port, or the name localhost.
const host = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const registry = `(?:localhost|${host}(?:\\.${host})+|${host}(?=:)|\\[[0-9a-fA-F:]+\\])(?::\\d+)?`;
const pattern = new RegExp(
  `^((?:${registry}/)?${part}(?:/${part})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/**
 * Takes the name of an image apart, by the rules of the OCI distribution specification.
 *
 * @param setting named in the failure
 * @throws {UsageError} when it is no name of an image
 */
export function parseReference(text: string, setting: string): ImageReference {
  const [, name, tag, digest] = pattern.exec(text) ?? [];
  if (name === undefined) {
    throw new UsageError(`${setting} is not the name of an image: ${JSON.stringify(text.slice(0, 200))}`, {
      evidence: ['expected name:tag, name@sha256:<64 digits>, or both, in lower case'],
    });
  }
  return { text, repository: familiar(name), tag, digest };
}

/**
 * Whether an engine's own name for an image, with a tag or a digest, means this one. Docker leaves out its registry, Podman
 * spells it out and puts `localhost/` before what was built here.
 */
export function meansSame(reference: ImageReference, engineName: string): boolean {
  const [, name, tag, digest] = pattern.exec(engineName) ?? [];
  if (name === undefined || familiar(name) !== reference.repository) return false;
  // A digest wins: with one, engines do not look at the tag.
  if (reference.digest !== undefined) return digest === reference.digest;
  return digest === undefined && tag === (reference.tag ?? 'latest');
}

function familiar(name: string): string {
  return name.replace(/^(docker\.io\/library|docker\.io|index\.docker\.io|localhost)\//, '');
}
