import { execa } from 'execa';
import type { Stack } from '../compose/stack.ts';
import { environment } from '../environment.ts';
import { EngineError } from '../errors.ts';
import { lastWords } from './compose-call.ts';
import type { ContainerTools } from './containers.ts';
import { madeFromLabel, oneOffLabel } from './podman-compose-file.ts';

/** A container of the project as `podman ps` shows it. */
export interface MadeContainer {
  readonly id: string;
  /** Empty when it is no service's. */
  readonly service: string;
  /** What it was made from; undefined when podman-compose was called by somebody else. */
  readonly madeFrom: string | undefined;
  /** One of a single run, or one without a service. */
  readonly isOneOff: boolean;
  readonly isRunning: boolean;
}

/** What Podman has of one compose project: only things with the project's label are seen, and so removed. */
export class PodmanProject {
  readonly #tools: ContainerTools;
  readonly #stack: Stack;

  constructor(tools: ContainerTools, stack: Stack) {
    this.#tools = tools;
    this.#stack = stack;
  }

  async containers(): Promise<MadeContainer[]> {
    return readContainers(
      await this.answer(['ps', '--all', '--no-trunc', '--format', 'json', ...this.#filter()]),
    );
  }

  /** Stops and removes a container, in the time its service is given to end. */
  async remove({ id, service }: MadeContainer, options: readonly string[] = []): Promise<void> {
    const grace = this.#stack.services.get(service)?.stopGraceMilliseconds ?? 10_000;
    await this.answer(['rm', '--force', '--time', String(Math.ceil(grace / 1000)), ...options, id]);
  }

  /** The networks that podman-compose made for us: the name in the files, the name, and what each was made from. */
  async networks(): Promise<{ key: string; name: string; madeFrom: string | undefined }[]> {
    const list: unknown = JSON.parse(
      (await this.answer(['network', 'ls', '--format', 'json', ...this.#filter()])) || '[]',
    );
    return (Array.isArray(list) ? list : []).flatMap((value: unknown) => {
      const found = value as Record<string, unknown>;
      const name = found['name'] ?? found['Name'];
      const labels = (found['labels'] ?? found['Labels'] ?? {}) as Record<string, string>;
      const key = labels['com.docker.compose.network'];
      if (typeof name !== 'string' || key === undefined) return [];
      return [{ key, name, madeFrom: labels[madeFromLabel] }];
    });
  }

  /** Removes the networks; one that something else uses makes it fail. */
  async removeNetworks(): Promise<void> {
    const names = await this.#names('network');
    if (names.length > 0) await this.answer(['network', 'rm', ...names]);
  }

  /** Removes the pod that podman-compose makes when somebody calls it without us; it has no label, but the project's name. */
  async removePod(): Promise<void> {
    await this.call(['pod', 'rm', '--ignore', `pod_${this.#stack.name}`]);
  }

  /** Removes the volumes and returns their names. */
  async removeVolumes(): Promise<string[]> {
    const names = await this.#names('volume');
    if (names.length > 0) await this.answer(['volume', 'rm', ...names]);
    return names;
  }

  /** Calls Podman; never throws. */
  call(args: readonly string[]) {
    return execa('podman', args, {
      reject: false,
      stdin: 'ignore',
      env: { ...environment, ...this.#tools.environment },
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  /** @throws {EngineError} with Podman's words */
  async answer(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.call(args);
    if (exitCode === 0) return stdout;
    const how = exitCode === undefined ? 'was ended by a signal' : `exited ${exitCode}`;
    throw new EngineError(`podman ${args[0]} ${how}`, lastWords(stderr));
  }

  async #names(kind: 'network' | 'volume'): Promise<string[]> {
    const answer = await this.answer([kind, 'ls', '--format', '{{.Name}}', ...this.#filter()]);
    return answer.split('\n').filter((name) => name !== '');
  }

  #filter(): string[] {
    return ['--filter', `label=com.docker.compose.project=${this.#stack.name}`];
  }
}

/**
 * Removes what the step-by-step engine made of a stack, for Docker Compose to take it over: the names differ, and with them
 * both would run at once. Volumes and networks stay; they are the same for both.
 */
export async function removeStepped(tools: ContainerTools, stack: Stack): Promise<void> {
  const project = new PodmanProject(tools, stack);
  const stepped = (await project.containers()).filter(({ madeFrom }) => madeFrom !== undefined);
  await Promise.all(stepped.map((one) => project.remove(one)));
}

/** Reads `podman ps --format json`; each field doubted. */
function readContainers(text: string): MadeContainer[] {
  const list: unknown = text.trim() === '' ? [] : JSON.parse(text);
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown) => {
    const { Id: id, Labels: labels, State: state } = value as Record<string, unknown>;
    if (typeof id !== 'string' || typeof labels !== 'object' || labels === null) return [];
    const label = (name: string) => {
      const found = (labels as Record<string, unknown>)[name];
      return typeof found === 'string' ? found : undefined;
    };
    const service = label('com.docker.compose.service');
    const isOneOff = service === undefined || /^true$/i.test(label(oneOffLabel) ?? '');
    const isRunning = state === 'running';
    return [{ id, service: service ?? '', madeFrom: label(madeFromLabel), isOneOff, isRunning }];
  });
}
