import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import { parseReference } from './reference.ts';

/** What the build leaves beside a program: what starts it, and its compiled code; see scripts/build/start.cjs. */
const startFiles = ['.start.cjs', '.cache'];

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
  /** Files that lie beside it, in the project's folder. */
  readonly beside: readonly string[];
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
    const beside = startFiles.map((end) => bundle.replace(/\.cjs$/, end));
    return { name, reference, target, args, bundle, beside, folders: [] };
  };
  const migrate = image('migrate', 'migrate', 'migrations/dist/migrate.cjs');
  return [
    { ...migrate, beside: [...migrate.beside, 'migrations/dist/libpg-query.wasm'] },
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
 * The Dockerfile of one image, for a program that is built already: the stage and those it is based on as a single stage,
 * with the program taken from the context instead of from the stage that builds it. Nothing is run in it, so the image is
 * made in the time of a few copies.
 *
 * @throws {PreflightError} when the Dockerfile has no such stage, or the stage needs what the context has not
 */
export function dockerfileOf({ target }: Pick<ProjectImage, 'target'>, text: string): string {
  const [head = '', ...stages] = text.split(/^(?=FROM )/m);
  const wanted: string[] = [];
  for (let name: string | undefined = target; name !== undefined; ) {
    const stage = stages.find((one) => one.split('\n')[0]?.endsWith(` AS ${name}`));
    if (stage === undefined) break;
    wanted.unshift(stage);
    name = /^FROM (\S+)/.exec(stage)?.[1];
  }
  const [first = '', ...others] = wanted;
  const single = [head, first, ...others.map((stage) => stage.replace(/^FROM .*\n/, ''))].join('');
  const kept = single.replaceAll(/^COPY --from=build .*$/gm, (line) =>
    line.replace('--from=build ', '').replaceAll(' /source/', ' '),
  );
  if (wanted.length === 0 || /--from=|^RUN /m.test(kept)) {
    throw new PreflightError(
      `the Dockerfile's stage ${target} cannot be built from programs that are there`,
      {
        evidence: ['expected COPY --from=build /source/... as all it takes from other stages, and no RUN'],
      },
    );
  }
  return kept;
}

/** A file of an image, by its path in the project. */
export interface ProgramFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Reads a program that make built, and what lies beside it. */
export function readPrograms(root: string, { bundle, beside, name }: ProjectImage): ProgramFile[] {
  return [bundle, ...beside].map((path) => {
    try {
      return { path, bytes: readFileSync(join(root, path)) };
    } catch (error) {
      throw new PreflightError(`${path} cannot be read (${systemReason(error)}), so ${name} has no program`, {
        hint: 'npm run build',
        cause: error,
      });
    }
  });
}

/** The version every image of the project is labelled with: that of package.json, else `dev`. */
export function projectVersion(root: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : 'dev';
  } catch {
    return 'dev';
  }
}

/** What an image is made of, beside its own program. */
export interface ImageParts {
  /** Of {@link dockerfileOf}. */
  readonly dockerfile: string;
  /** The Node image's. */
  readonly baseId: string;
  readonly version: string;
}

/** The hash of all an image is made of: its program, the Dockerfile, the base image, the version. */
export function projectImageKey(
  image: ProjectImage,
  programs: readonly ProgramFile[],
  parts: ImageParts,
): string {
  const { target, args, bundle, folders } = image;
  const { dockerfile, baseId, version } = parts;
  const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const content = programs.map(({ path, bytes }) => [path, hashOf(bytes)]);
  // Images of an earlier build may hold what their user cannot read.
  const modes = 'readable by all';
  const all = [target, args, bundle, folders, content, dockerfile, baseId, version, modes];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}
