import { dirname } from 'node:path';
import type { Checkout } from '../checkout/checkout.ts';
import type { MadeFor, Traces } from '../checkout/ownership.ts';
import type { StackOwner } from '../engine.ts';
import type { Containers } from './containers.ts';

const folderLabel = 'com.docker.compose.project.working_dir';
const markFolder = 'dev.lockstep.folder';
const markId = 'dev.lockstep.checkout';

/**
 * Whose a stack is on a container engine. Containers carry the folder that they were made from. Volumes do not, and outlive
 * containers; so an empty volume beside them is the mark: making one is atomic, and its labels never change.
 */
export class ContainerOwner implements StackOwner {
  readonly #containers: Containers;

  constructor(containers: Containers) {
    this.#containers = containers;
  }

  async traces(): Promise<Traces> {
    const [containers, volumes, mark] = await Promise.all([
      this.#madeFor(),
      this.#containers.volumes(),
      this.#readMark(),
    ]);
    return { containers, volumes, mark };
  }

  async claim(
    { id, root }: Checkout & { readonly id: string },
    { mark }: Traces,
    stale: readonly MadeFor[],
  ): Promise<Traces['mark']> {
    await this.#remove(stale.map((one) => one.id));
    if (mark?.id === id && mark.folder === root) return undefined;
    if (mark !== undefined) await this.removeMark();
    const labels = [`${markId}=${id}`, `${markFolder}=${root}`].flatMap((label) => ['--label', label]);
    // Another checkout's that was made meanwhile stays as it is: on Docker without an error, on Podman with one.
    await this.#containers.call(['volume', 'create', ...labels, this.#markName]);
    const made = await this.#readMark();
    return made?.id === id ? undefined : made;
  }

  async #remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    // First in peace: Postgres may be one of them.
    await this.#containers.call(['stop', '-t', '10', ...ids]);
    await this.#containers.ask(['rm', '--force', ...ids]);
  }

  /** For when nothing is left that it speaks of. */
  async removeMark(): Promise<void> {
    await this.#containers.call(['volume', 'rm', this.#markName]);
  }

  /** Without compose's label: it is not one of the volumes in the files. */
  get #markName(): string {
    return `${this.#containers.project}_lockstep-checkout`;
  }

  async #readMark(): Promise<Traces['mark']> {
    const { exitCode, stdout } = await this.#containers.call([
      'volume',
      'inspect',
      '--format',
      '{{json .Labels}}',
      this.#markName,
    ]);
    if (exitCode !== 0) return undefined;
    const labels = readLabels(stdout);
    const [id, folder] = [labels[markId], labels[markFolder]];
    return id === undefined || folder === undefined ? undefined : { id, folder };
  }

  async #madeFor(): Promise<MadeFor[]> {
    const ps = ['ps', '--all', '--no-trunc', ...this.#containers.filter(), '--format'];
    if (this.#containers.program === 'podman') {
      const { stdout } = await this.#containers.ask([...ps, 'json']);
      const list: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
      return (Array.isArray(list) ? list : []).flatMap((value: unknown) => {
        const { Id: id, Labels: labels } = value as Record<string, unknown>;
        return typeof id === 'string' ? [{ id, folder: folderIn(stringsOf(labels)[folderLabel]) }] : [];
      });
    }
    const { stdout } = await this.#containers.ask([...ps, `{{.ID}} {{.Label "${folderLabel}"}}`]);
    return stdout.split('\n').flatMap((line) => {
      const [, id, folder] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      return id === undefined ? [] : [{ id, folder: folderIn(folder) }];
    });
  }
}

/** podman-compose is called with a file of ours below the project. */
function folderIn(label: string | undefined): string | undefined {
  if (label === undefined || label === '') return undefined;
  return label.endsWith('/.lockstep/podman-compose') ? dirname(dirname(label)) : label;
}

function readLabels(json: string): Record<string, string> {
  try {
    return stringsOf(JSON.parse(json));
  } catch {
    return {};
  }
}

function stringsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === 'string'));
}
