import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import type { Project } from '../project.ts';
import { folderMark } from './folder.ts';

/** One checkout of the project: this folder, wherever it is moved to, and no copy of it. */
export interface Checkout {
  readonly root: string;
  /** Undefined before the first start. */
  readonly id: string | undefined;
}

function fileOf({ stateFolder }: Project): string {
  return join(stateFolder, 'checkout.json');
}

/** Who this checkout is, as it wrote down at its first start; writes nothing. What a copied folder brought along counts as nothing. */
export function readCheckout(project: Project): Checkout {
  const { root } = project;
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(project), 'utf8'));
    if (typeof value !== 'object' || value === null || !('id' in value) || !('folder' in value))
      return { root, id: undefined };
    const isOwn = value.folder === folderMark(project.stateFolder) && typeof value.id === 'string';
    return { root, id: isOwn ? String(value.id) : undefined };
  } catch {
    return { root, id: undefined };
  }
}

/**
 * As {@link readCheckout}, and writes it down where it was not.
 *
 * @throws {PreflightError} when nothing can be written
 */
export function establishCheckout(project: Project): Checkout & { readonly id: string } {
  const known = readCheckout(project).id;
  if (known !== undefined) return { root: project.root, id: known };
  const id = randomUUID();
  const file = fileOf(project);
  const beside = `${file}.${process.pid}.new`;
  try {
    mkdirSync(project.stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(beside, `${JSON.stringify({ id, folder: folderMark(project.stateFolder) })}\n`, {
      mode: 0o600,
    });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new PreflightError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
  return { root: project.root, id };
}
