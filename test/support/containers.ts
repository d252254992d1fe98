import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestStack } from './stack.ts';

const run = promisify(execFile);

/** What the tests read of `container inspect`. */
export interface Inspected {
  readonly Id: string;
  readonly Config: { readonly User: string; readonly Env: readonly string[]; readonly Image?: string };
  readonly State: { readonly StartedAt: string; readonly Status: string; readonly Pid: number };
  readonly Mounts: readonly { readonly Destination: string; readonly RW: boolean }[];
}

/** Runs the stack's container program; returns what it wrote to stdout. */
export async function containers(stack: TestStack, ...args: string[]): Promise<string> {
  if (stack.engine === 'embedded') throw new Error('the embedded engine has no containers');
  const { stdout } = await run(stack.engine, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** The names of what carries the project's label: `containers(stack, 'volume', 'ls')` and its like, quiet. */
export async function owned(stack: TestStack, kind: 'container' | 'volume' | 'network'): Promise<string[]> {
  const label = `label=com.docker.compose.project=${stack.project}`;
  const all = kind === 'container' ? ['--all'] : [];
  const text = await containers(stack, kind, 'ls', ...all, '--quiet', '--filter', label);
  return text === '' ? [] : text.split('\n');
}

/** The container of a service. */
export async function inspect(stack: TestStack, service: string): Promise<Inspected> {
  const id = await containers(
    stack,
    'container',
    'ls',
    '--all',
    '--quiet',
    '--filter',
    `label=com.docker.compose.project=${stack.project}`,
    '--filter',
    `label=com.docker.compose.service=${service}`,
  );
  const [found] = JSON.parse(await containers(stack, 'container', 'inspect', id)) as Inspected[];
  if (found === undefined) throw new Error(`no container of ${service}`);
  return found;
}

/** Removes the images that a stack with a LOCKSTEP_IMAGE_TAG of its own was made of. */
export async function removeImages(stack: TestStack, tag: string): Promise<void> {
  if (stack.engine === 'embedded') return;
  const images = await containers(stack, 'image', 'ls', '--quiet', '--filter', `reference=*/*:${tag}`);
  const ids = [...new Set(images.split('\n'))].filter((id) => id !== '');
  if (ids.length > 0) await containers(stack, 'image', 'rm', ...ids);
}

/** Where a named volume of the stack lies on this machine. */
export async function volumeFolder(stack: TestStack, name: string): Promise<string> {
  if (stack.engine === 'embedded') return stack.path(`.lockstep/embedded/volumes/${name}`);
  return containers(stack, 'volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_${name}`);
}

/** What tells one run of a service from the next: its process, or its container and the instant it was started. */
export async function incarnation(stack: TestStack, service: string): Promise<string> {
  if (stack.engine !== 'embedded') {
    const { Id, State } = await inspect(stack, service);
    return `${Id} ${State.StartedAt}`;
  }
  return String(await processOf(stack, service));
}

/** Stops a service without ending it, as a hung one would look; returns what wakes it. */
export async function freeze(stack: TestStack, service: string): Promise<() => Promise<void>> {
  const pid =
    stack.engine === 'embedded' ? await processOf(stack, service) : (await inspect(stack, service)).State.Pid;
  process.kill(pid, 'SIGSTOP');
  return async () => void process.kill(pid, 'SIGCONT');
}

async function processOf(stack: TestStack, service: string): Promise<number> {
  const { stdout } = await stack.stack('status', '--format', 'json');
  const { services } = JSON.parse(stdout) as { services: { service: string; pid?: number }[] };
  const pid = services.find((one) => one.service === service)?.pid;
  if (pid === undefined) throw new Error(`${service} has no process`);
  return pid;
}
