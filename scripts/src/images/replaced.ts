import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContainerProgram, callEngine } from './container-program.ts';
import { type ImageState, nameLabel } from './image-state.ts';

/**
 * Removes the images that lost their name to a newer one, so that a day of rebuilding leaves none behind. Exactly those, by
 * id, and only while they have no other name; one that a container is made of stays, and is tried again after the next
 * build. Never throws: what cannot be removed harms nobody.
 *
 * @param folder where the ids of those that stay are kept
 * @param before what had the names before the build, by reference
 * @param after what has them now
 */
export async function removeReplaced(
  program: ContainerProgram,
  folder: string,
  before: ReadonlyMap<string, ImageState>,
  after: ReadonlyMap<string, ImageState>,
): Promise<void> {
  const file = join(folder, `replaced-${program}`);
  const current = new Set([...after.values()].map(({ id }) => id));
  // The label is handed down to images that others build on ours: with another name it is not ours.
  const lost = [...before].filter(([name, { id, labels }]) => labels[nameLabel] === name && !current.has(id));
  try {
    const known = new Set([...readIds(file), ...lost.map(([, { id }]) => id)]);
    if (known.size === 0) return;
    const nameless = await namelessImages(program, known);
    if (nameless.length > 0) await callEngine(program, ['image', 'rm', ...nameless]);
    const left = nameless.length > 0 ? await namelessImages(program, known) : [];
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, left.map((id) => `${id}\n`).join(''));
  } catch {
    // Left for the next build, or for the person who looks.
  }
}

async function namelessImages(program: ContainerProgram, known: ReadonlySet<string>): Promise<string[]> {
  const words = ['image', 'ls', '--quiet', '--no-trunc', '--filter', 'dangling=true'];
  const { stdout } = await callEngine(program, words);
  const ids = stdout.split('\n').map((line) => line.trim().replace(/^sha256:/, ''));
  return [...new Set(ids)].filter((id) => known.has(id));
}

function readIds(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^[0-9a-f]{64}$/.test(line));
  } catch {
    return [];
  }
}
