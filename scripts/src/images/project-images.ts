import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import { parseReference } from './reference.ts';

declare const LOCKSTEP_VERSION: string;

/** An image of the project: one program on top of Node. */
export interface ProjectImage {
  readonly name: string;
  /** `lockstep/migrate:dev` */
  readonly reference: string;
  /** The Dockerfile's stage. */
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
  /** Its program, in the project's folder. */
  readonly bundle: string;
  /** Empty folders it holds, in the build's context. */
  readonly folders: readonly string[];
}

/**
 * The project's images: the migrator, the bootstrap, and one for each app, which is a folder with a `src/server.ts`.
 *
 * @param setting the value of a setting: LOCKSTEP_IMAGE_PREFIX and LOCKSTEP_IMAGE_TAG
 * @throws {UsageError} when those make no name of an image
 */
export function projectImages(
  root: string,
  setting: (name: string) => string | undefined,
): readonly ProjectImage[] {
  const prefix = setting('LOCKSTEP_IMAGE_PREFIX') || 'lockstep';
  const tag = setting('LOCKSTEP_IMAGE_TAG') || 'dev';
  const image = (name: string, target: string, bundle: string, args = {}): ProjectImage => {
    const reference = `${prefix}/${name}:${tag}`;
    parseReference(reference, 'LOCKSTEP_IMAGE_PREFIX and LOCKSTEP_IMAGE_TAG:');
    return { name, reference, target, args, bundle, folders: [] };
  };
  return [
    image('migrate', 'migrate', 'migrations/dist/migrate.cjs'),
    {
      ...image('vault-bootstrap', 'bootstrap', 'vault/dist/bootstrap.cjs'),
      folders: credentialsFolders(root).map((name) => `credentials/${name}`),
    },
    ...appsOf(root).map((name) => image(name, 'app', `${name}/dist/server.cjs`, { APP: name })),
  ];
}

/** The folders of credentials the bootstrap's image has: two for each app, named as its roles. */
function credentialsFolders(root: string): string[] {
  return appsOf(root).flatMap((name) => [`${name}-migrator`, `${name}-app`]);
}

function appsOf(root: string): string[] {
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, 'src', 'server.ts')))
    .sort();
}

/**
 * The Dockerfile for programs that are built already: without the stages that build them, and with each program taken from
 * the context instead. Nothing is run in it, so the images are made in the time of a few copies.
 *
 * @throws {PreflightError} when the Dockerfile has no such stages
 */
export function dockerfileOfBundles(text: string): string {
  const stages = text.split(/^(?=FROM )/m);
  const isBuilder = (stage: string) => /^FROM \S+ AS (manifests|build)$/m.test(stage);
  const kept = stages.filter((stage) => !isBuilder(stage)).join('');
  const rewritten = kept.replaceAll(/^COPY --from=build (--\S+ )?\/source\//gm, 'COPY $1');
  if (kept.length === text.length || /--from=(manifests|build)\b/.test(rewritten)) {
    throw new PreflightError('the Dockerfile has no stages that can be left out', {
      evidence: [
        'expected stages called manifests and build, and COPY --from=build /source/... in the others',
      ],
    });
  }
  return rewritten;
}

/** Reads a program that make built. */
export function readBundle(root: string, { bundle, name }: ProjectImage): Buffer {
  try {
    return readFileSync(join(root, bundle));
  } catch (error) {
    throw new PreflightError(`${bundle} cannot be read (${systemReason(error)}), so ${name} has no program`, {
      hint: 'npm run build',
      cause: error,
    });
  }
}

/** The version every image of the project is labelled with. */
export const projectVersion = LOCKSTEP_VERSION;

/**
 * The hash of all an image is made of: its program, the Dockerfile, the base image, the version.
 *
 * @param dockerfile of {@link dockerfileOfBundles}
 * @param baseId of the Node image
 */
export function projectImageKey(
  { target, args, bundle, folders }: ProjectImage,
  program: Buffer,
  dockerfile: string,
  baseId: string,
): string {
  const content = createHash('sha256').update(program).digest('hex');
  const parts = [target, args, bundle, folders, content, dockerfile, baseId, projectVersion];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
