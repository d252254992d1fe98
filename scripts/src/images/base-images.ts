import { PreflightError } from '../errors.ts';
import { type ContainerProgram, callEngine } from './container-program.ts';
import { type ImageState, imageStates } from './image-state.ts';
import { type ImageReference, parseReference } from './reference.ts';
import { nodeReference, postgresReference, vaultReference } from './stand-in.ts';

/** The settings that name the images of others. */
export const baseSettings = ['POSTGRES_IMAGE', 'VAULT_IMAGE', 'NODE_IMAGE'] as const;
export type BaseSetting = (typeof baseSettings)[number];

/** What is used when nothing is set; the same as in compose.yaml and the Dockerfile. */
export const officialImages: Readonly<Record<BaseSetting, string>> = {
  POSTGRES_IMAGE: 'postgres:18',
  VAULT_IMAGE: 'hashicorp/vault:1.20',
  NODE_IMAGE: 'node:24-slim',
};

const standIns: Readonly<Record<BaseSetting, string>> = {
  POSTGRES_IMAGE: postgresReference,
  VAULT_IMAGE: vaultReference,
  NODE_IMAGE: nodeReference(),
};

/** The image chosen for a setting, and why. */
export interface BaseImage {
  readonly setting: BaseSetting;
  readonly reference: ImageReference;
  /** `set`: the setting names it; `official`, `stand-in`: it is there; `absent`: the official one, which has to be pulled. */
  readonly from: 'set' | 'official' | 'stand-in' | 'absent';
  /** Undefined when the engine does not have it. */
  readonly state: ImageState | undefined;
}

/**
 * Chooses the images of others without touching a registry, in one call: what the setting names; else the official image
 * when the engine has it; else the stand-in when the engine has that; else the official one, to be pulled.
 *
 * @param setting the value of a setting
 * @throws {UsageError} when a setting is no name of an image
 */
export async function chooseBaseImages(
  program: ContainerProgram,
  setting: (name: string) => string | undefined,
  wanted: readonly BaseSetting[] = baseSettings,
  signal?: AbortSignal,
): Promise<readonly BaseImage[]> {
  const named = wanted.map((name) => ({
    name,
    set: setting(name) || undefined,
    official: parseReference(officialImages[name], name),
    standIn: parseReference(standIns[name], name),
  }));
  const all = named.flatMap(({ name, set, official, standIn }) =>
    set === undefined ? [official, standIn] : [parseReference(set, name)],
  );
  const states = await imageStates(program, all, signal);
  return named.map(({ name, set, official, standIn }) => {
    const choice = (reference: ImageReference, from: BaseImage['from']): BaseImage => ({
      setting: name,
      reference,
      from,
      state: states.get(reference.text),
    });
    if (set !== undefined) return choice(parseReference(set, name), 'set');
    if (states.has(official.text)) return choice(official, 'official');
    return states.has(standIn.text) ? choice(standIn, 'stand-in') : choice(official, 'absent');
  });
}

/**
 * Pulls an image that the engine does not have.
 *
 * @throws {PreflightError} when the registry cannot be reached or has no such image; offers the stand-ins
 */
export async function pullImage(
  program: ContainerProgram,
  { setting, reference }: Pick<BaseImage, 'setting' | 'reference'>,
  signal?: AbortSignal,
): Promise<ImageState> {
  const said = await callEngine(
    program,
    ['pull', '--quiet', reference.text],
    signal === undefined ? {} : { signal },
  );
  const state = (await imageStates(program, [reference], signal)).get(reference.text);
  if (said.exitStatus === 0 && state !== undefined) return state;
  const words = said.stderr.split('\n').filter((line) => line.trim() !== '');
  throw new PreflightError(`the image ${reference.text} is not here and cannot be pulled`, {
    evidence: [...words.slice(-2).map((line) => line.trim()), `${setting} names another one`],
    hint: 'make images OFFLINE=1, which builds stand-ins without a registry',
  });
}
