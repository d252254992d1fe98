import type { Availability } from '../engine.ts';
import { type Defect, defectsOf, tooOld } from './engine-defects.ts';

/** How a compose command is called: the program and its first arguments. */
export type ComposeCommand = readonly [program: string, ...args: string[]];

/** One way to run the stack that was looked at. */
export interface ComposeCandidate {
  readonly what: string;
  /** Why it cannot be used, or was not; its versions when it is. */
  readonly reason: string;
  readonly isChosen: boolean;
}

/** What runs the stack on a container engine, and how it is called. */
export interface ComposeProgram {
  /** `compose` keeps the conditions between services by itself; `podman-compose` is driven step by step. */
  readonly flavour: 'compose' | 'podman-compose';
  readonly command: ComposeCommand;
  /** The program that answers for single containers and builds images. */
  readonly program: 'docker' | 'podman';
  /** What all of them need beside this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly versions: { readonly engine: string; readonly compose: string };
  /** Known of these versions; none of them keeps the stack from running. */
  readonly defects: readonly Defect[];
  /** Nothing listens on Podman's socket: a service of the project's own must, see ensurePodmanService. */
  readonly needsService: boolean;
}

interface Asked {
  readonly candidates: readonly ComposeCandidate[];
}

/** A container engine that answered, or why it did not; and every way that was tried. */
export type FoundCompose =
  | (Asked & ComposeProgram & { readonly availability: Availability & { readonly available: true } })
  | (Asked & { readonly availability: Availability & { readonly available: false } });

/** What a program answered. */
export interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

/** What stands in `stderr` when a program did not answer in time, before the time. */
export const noAnswer = 'no answer in';

/** Runs a program and returns what it said; never throws. */
export type Ask = (program: string, args: readonly string[]) => Promise<Answer>;

/** A compose program that answered with a version that can be used. */
export interface Compose2 {
  readonly command: ComposeCommand;
  readonly version: string;
}

/** The version of what answers, and its name: Podman answers to Docker's client too. */
export const serverFormat = '{{.Server.Version}} {{with .Server.Components}}{{(index . 0).Name}}{{end}}';

/** Asks Docker: the daemon must answer, and Compose 2 be there as its plugin or as `docker-compose`. */
export async function findDocker(ask: Ask): Promise<FoundCompose> {
  const [daemon, plugin, standalone] = await Promise.all([
    ask('docker', ['version', '--format', serverFormat]),
    ask('docker', ['compose', 'version', '--short']),
    ask('docker-compose', ['version', '--short']),
  ]);
  const seen: ComposeCandidate[] = [];
  const no = (reason: string) => unavailable('docker', reason, seen);
  if (/Emulate Docker CLI using podman/i.test(daemon.stderr))
    return no('docker here is Podman by another name');
  if (daemon.missing) return no('docker is not on PATH');
  const [engine = '', ...product] = firstLine(daemon.stdout).split(' ');
  if (!daemon.ok || engine === '') return no(complaintIn(daemon.stderr) || 'the daemon did not answer');
  if (product.join(' ') === 'Podman Engine') return no(`docker here speaks to Podman ${engine}`);
  const old = tooOld('docker', engine);
  if (old !== undefined) return no(`Docker ${engine} ${old}`);
  const compose = firstUsable(composeAnswers(plugin, standalone), seen);
  if (compose === undefined) {
    const tried = seen.find(({ what }) => what.startsWith('docker-compose '));
    const late = [plugin, standalone].find(({ stderr }) => stderr.startsWith(noAnswer));
    if (tried === undefined && late !== undefined) return no(`docker compose: ${late.stderr}`);
    return no(
      tried === undefined
        ? `Docker ${engine} has no Compose 2 (the plugin docker-compose-plugin)`
        : `${tried.what} ${tried.reason}`,
    );
  }
  const program: ComposeProgram = {
    flavour: 'compose',
    command: compose.command,
    program: 'docker',
    environment: {},
    versions: { engine, compose: compose.version },
    defects: [...defectsOf('docker', engine), ...defectsOf('compose', compose.version)],
    needsService: false,
  };
  return available('docker', program, `Docker ${engine}, Compose ${compose.version}`, seen);
}

/** The answers of the two programs that Compose 2 comes as. */
export function composeAnswers(plugin: Answer, standalone: Answer): readonly [ComposeCommand, Answer][] {
  return [
    [['docker', 'compose'], plugin],
    [['docker-compose'], standalone],
  ];
}

/** The first program that is a Compose new enough; what is wrong with each before it goes to `seen`. */
export function firstUsable(
  answers: readonly (readonly [ComposeCommand, Answer])[],
  seen: ComposeCandidate[],
): Compose2 | undefined {
  for (const [command, { ok, stdout }] of answers) {
    const version = versionIn(stdout);
    if (!ok || version === undefined) continue;
    const old = tooOld('compose', version);
    if (old === undefined) return { command, version };
    seen.push({ what: `docker-compose ${version}`, reason: old, isChosen: false });
  }
  return undefined;
}

export function available(
  name: 'docker' | 'podman',
  program: ComposeProgram,
  reason: string,
  seen: readonly ComposeCandidate[],
): FoundCompose {
  const chosen = { what: program.command.join(' '), reason, isChosen: true };
  return { availability: { name, available: true, reason }, candidates: [...seen, chosen], ...program };
}

export function unavailable(
  name: 'docker' | 'podman',
  reason: string,
  seen: readonly ComposeCandidate[],
): FoundCompose {
  return { availability: { name, available: false, reason }, candidates: seen };
}

export function versionIn(text: string): string | undefined {
  return /v?(\d+\.\d+[\w.+-]*)/.exec(text)?.[1];
}

/** The first sentence of what a program complains of, without its questions: it becomes a part of a line of ours. */
export function complaintIn(text: string): string {
  return firstLine(text)
    .replace(/^(error|ERROR): /i, '')
    .replace(/\. Is the docker daemon running\?$/, '');
}

export function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim() ?? '';
}
