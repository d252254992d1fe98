import type { Availability } from '../engine.ts';

/** How a compose command is called: the program and its first arguments. */
export type ComposeCommand = readonly [program: string, ...args: string[]];

/** A container engine that answered, or why it did not. */
export type FoundCompose =
  | { readonly availability: Availability & { readonly available: true }; readonly command: ComposeCommand }
  | { readonly availability: Availability & { readonly available: false } };

/** Runs a program and returns what it said; never throws. */
export type Ask = (
  program: string,
  args: readonly string[],
) => Promise<{
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}>;

/**
 * Asks Docker: the daemon must answer, and Compose 2 be there as its plugin or as `docker-compose`. Version 1 counts an
 * exited dependency as healthy and starts nothing with `--wait`, so it is refused.
 */
export async function findDocker(ask: Ask): Promise<FoundCompose> {
  const [daemon, plugin, standalone] = await Promise.all([
    ask('docker', ['version', '--format', '{{.Server.Version}}']),
    ask('docker', ['compose', 'version', '--short']),
    ask('docker-compose', ['version', '--short']),
  ]);
  const no = (reason: string) => ({ availability: { name: 'docker', available: false, reason } }) as const;
  if (daemon.missing) return no('docker is not on PATH');
  if (!daemon.ok) return no(reasonIn(daemon.stderr) || 'the daemon did not answer');
  const server = firstLine(daemon.stdout);
  for (const [said, command] of [
    [plugin, ['docker', 'compose']],
    [standalone, ['docker-compose']],
  ] as const) {
    const version = versionIn(said.stdout);
    if (!said.ok || version === undefined) continue;
    if (majorOf(version) < 2) return no(`docker-compose ${version} is too old (2 or newer needed)`);
    return {
      availability: { name: 'docker', available: true, reason: `Docker ${server}, Compose ${version}` },
      command,
    };
  }
  return no(`Docker ${server} has no Compose 2 (the plugin docker-compose-plugin)`);
}

/**
 * Asks Podman. `podman compose` calls whichever provider it finds; only Docker Compose 2 keeps the conditions between
 * services. podman-compose is refused: before 1.1 it ignores them, and up to 1.6 it takes a failed one-shot for done.
 */
export async function findPodman(ask: Ask): Promise<FoundCompose> {
  const [podman, provider] = await Promise.all([
    ask('podman', ['info', '--format', '{{.Version.Version}}']),
    ask('podman', ['compose', 'version']),
  ]);
  const no = (reason: string) => ({ availability: { name: 'podman', available: false, reason } }) as const;
  if (podman.missing) return no('podman is not on PATH');
  if (!podman.ok) return no(reasonIn(podman.stderr) || 'podman did not answer');
  const said = `${provider.stdout}\n${provider.stderr}`;
  const old = /podman-compose version:?\s*v?(\d[\d.]*)/i.exec(said)?.[1];
  if (old !== undefined) return no(podmanComposeReason(old));
  const version = versionIn(/Docker Compose version\s*(\S+)/i.exec(said)?.[1] ?? '');
  if (!provider.ok || version === undefined) {
    return no('podman compose has no provider (Docker Compose 2 needed)');
  }
  if (majorOf(version) < 2) return no(`docker-compose ${version} is too old (2 or newer needed)`);
  const reason = `Podman ${firstLine(podman.stdout)}, Compose ${version}`;
  return { availability: { name: 'podman', available: true, reason }, command: ['podman', 'compose'] };
}

function podmanComposeReason(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fault =
    major < 1 || (major === 1 && minor < 1)
      ? 'ignores the conditions between services'
      : 'starts an app after its migrations failed';
  return `podman-compose ${version} ${fault} (Docker Compose 2 as podman's provider needed)`;
}

function versionIn(text: string): string | undefined {
  return /v?(\d+\.\d+[\w.+-]*)/.exec(text)?.[1];
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}

/** The first sentence of what a program complains of, without its questions: it becomes a part of a line of ours. */
function reasonIn(text: string): string {
  return firstLine(text)
    .replace(/^(error|ERROR): /i, '')
    .replace(/\. Is the docker daemon running\?$/, '');
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim() ?? '';
}
