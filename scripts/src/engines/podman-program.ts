import {
  type Answer,
  type Ask,
  available,
  type Compose2,
  type ComposeCandidate,
  type ComposeCommand,
  type ComposeProgram,
  complaintIn,
  composeAnswers,
  type FoundCompose,
  firstLine,
  firstUsable,
  noAnswer,
  serverFormat,
  unavailable,
  versionIn,
} from './compose-program.ts';
import { defectsOf, isBefore, tooOld } from './engine-defects.ts';

/** Podman's own settings that are kept to. */
export interface PodmanSettings {
  /** Where Podman listens. */
  readonly CONTAINER_HOST?: string | undefined;
  /** The program that `podman compose` is to run; one of podman-compose is used before any other. */
  readonly PODMAN_COMPOSE_PROVIDER?: string | undefined;
}

/** Before this Compose makes every container anew on Podman's socket at each `up`. */
const goodSocket = '5.4';

/**
 * Asks Podman, all at once. Docker Compose 2 on Podman's socket comes first: what `podman compose` runs, or Docker's own
 * programs; where no socket listens the project opens one of its own. Then podman-compose, driven step by step; before
 * Podman 5.4 it comes first.
 */
export async function findPodman(ask: Ask, settings: PodmanSettings = {}): Promise<FoundCompose> {
  const named = settings.PODMAN_COMPOSE_PROVIDER ?? '';
  const isNamed = /(^|\/)podman-compose$/.test(named);
  const podmanCompose = isNamed ? named : 'podman-compose';
  const [local, remote, dockerServer, provider, plugin, standalone, short] = await Promise.all([
    ask('podman', ['info', '--format', infoFormat]),
    ask('podman', ['--remote', 'version', '--format', '{{.Server.Version}}']),
    ask('docker', ['version', '--format', serverFormat]),
    ask('podman', ['compose', 'version']),
    ask('docker', ['compose', 'version', '--short']),
    ask('docker-compose', ['version', '--short']),
    ask(podmanCompose, ['version', '--short']),
  ]);
  const seen: ComposeCandidate[] = [];
  if (local.missing) return unavailable('podman', 'podman is not on PATH', seen);
  const [engine = '', socket = '', isRemote] = firstLine(local.stdout).split('|');
  if (!local.ok || engine === '') {
    return unavailable('podman', complaintIn(local.stderr) || 'podman did not answer', seen);
  }
  const old = tooOld('podman', engine);
  if (old !== undefined) return unavailable('podman', `Podman ${engine} ${old}`, seen);

  const compose = findCompose({ provider, plugin, standalone }, seen);
  const open = openSocket({ socket, isListening: remote.ok, dockerServer, settings });
  const onSocket = compose && composeOnPodman(engine, compose, { open, isLocal: isRemote !== 'true' }, seen);
  const stepped = await findPodmanCompose(ask, engine, { command: [podmanCompose], short, provider }, seen);
  const order = isNamed || isBefore(engine, goodSocket) ? [stepped, onSocket] : [onSocket, stepped];
  const chosen = order.find((one) => one !== undefined);
  if (chosen === undefined) {
    const late = [provider, plugin, standalone, short].find(({ stderr }) => stderr.startsWith(noAnswer));
    if (late !== undefined) seen.push({ what: 'compose', reason: late.stderr, isChosen: false });
    const tried = seen.map(({ what, reason }) => `${what} ${reason}`).join('; ');
    const why = tried === '' ? 'has no Docker Compose 2 and no podman-compose' : `: ${tried}`;
    return unavailable('podman', `Podman ${engine}${why.startsWith(':') ? why : ` ${why}`}`, seen);
  }
  for (const one of order) {
    if (one === undefined || one === chosen) continue;
    seen.push({ what: nameOf(one), reason: `not used: ${nameOf(chosen)} is better here`, isChosen: false });
  }
  return available('podman', chosen, `Podman ${engine}, ${nameOf(chosen)}`, seen);
}

const infoFormat =
  '{{.Version.Version}}|{{with .Host.RemoteSocket}}{{.Path}}{{end}}|{{.Host.ServiceIsRemote}}';

function nameOf({ flavour, versions, needsService }: ComposeProgram): string {
  if (flavour === 'podman-compose') return `podman-compose ${versions.compose}`;
  return `Compose ${versions.compose}${needsService ? ' on a socket of its own' : ''}`;
}

interface ComposeAnswers {
  readonly provider: Answer;
  readonly plugin: Answer;
  readonly standalone: Answer;
}

/** Docker Compose 2: what `podman compose` runs, else Docker's own programs. */
function findCompose(
  { provider, plugin, standalone }: ComposeAnswers,
  seen: ComposeCandidate[],
): Compose2 | undefined {
  const path = /external compose provider "([^"]+)"/.exec(provider.stderr)?.[1];
  const version = /Docker Compose version\s*(\S+)/i.exec(provider.stdout)?.[1];
  // Called by its path, which `podman compose` says unless it is told not to: it costs one program less at each call.
  const provided: readonly [ComposeCommand, Answer][] =
    version === undefined
      ? []
      : [[path === undefined ? ['podman', 'compose'] : [path], { ...provider, stdout: version }]];
  return firstUsable([...provided, ...composeAnswers(plugin, standalone)], seen);
}

interface Sockets {
  /** Where Podman would listen by default. */
  readonly socket: string;
  readonly isListening: boolean;
  readonly dockerServer: Answer;
  readonly settings: PodmanSettings;
}

/** What Compose needs to find a Podman that listens; undefined when none does. */
function openSocket({
  socket,
  isListening,
  dockerServer,
  settings,
}: Sockets): Record<string, string> | undefined {
  // DOCKER_HOST leads to Podman already.
  if (dockerServer.ok && /Podman Engine$/.test(firstLine(dockerServer.stdout))) return {};
  if (!isListening) return undefined;
  const address = settings.CONTAINER_HOST || (socket.startsWith('/') ? `unix://${socket}` : socket);
  return /^(unix|tcp):\/\//.test(address) ? { DOCKER_HOST: address } : undefined;
}

function composeOnPodman(
  engine: string,
  compose: Compose2,
  { open, isLocal }: { open: Record<string, string> | undefined; isLocal: boolean },
  seen: ComposeCandidate[],
): ComposeProgram | undefined {
  const old = tooOld('podman-socket', engine);
  const closed = open === undefined && !isLocal ? 'has no socket of this machine to speak to' : undefined;
  const wrong = old === undefined ? closed : `needs a newer Podman: ${engine} ${old}`;
  if (wrong !== undefined) {
    seen.push({ what: `Compose ${compose.version}`, reason: wrong, isChosen: false });
    return undefined;
  }
  return {
    flavour: 'compose',
    command: compose.command,
    program: 'podman',
    environment: open ?? {},
    versions: { engine, compose: compose.version },
    defects: [...defectsOf('podman', engine), ...defectsOf('podman-socket', engine)],
    needsService: open === undefined,
  };
}

interface PodmanComposeAnswers {
  readonly command: ComposeCommand;
  readonly short: Answer;
  readonly provider: Answer;
}

async function findPodmanCompose(
  ask: Ask,
  engine: string,
  { command: usual, short, provider }: PodmanComposeAnswers,
  seen: ComposeCandidate[],
): Promise<ComposeProgram | undefined> {
  const path = /external compose provider "([^"]+)"/.exec(provider.stderr)?.[1];
  const isProvided = short.missing && path !== undefined && /podman-compose/.test(provider.stdout);
  const command = isProvided ? ([path] as const) : usual;
  if (short.missing && !isProvided) return undefined;
  const said = isProvided ? provider.stdout : await versionText(ask, usual, short);
  // Old versions print the commands that they run as well; 1.0.3 misspells its own name.
  const version =
    /podman-composer? version:?\s*v?(\d[\d.]*\S*)/i.exec(said)?.[1] ?? versionIn(lastLine(said));
  const wrong =
    version === undefined
      ? complaintIn(short.stderr) || 'did not say its version'
      : tooOld('podman-compose', version);
  if (version === undefined || wrong !== undefined) {
    seen.push({ what: `podman-compose ${version ?? ''}`.trim(), reason: wrong ?? '', isChosen: false });
    return undefined;
  }
  return {
    flavour: 'podman-compose',
    command,
    program: 'podman',
    environment: {},
    versions: { engine, compose: version },
    defects: [...defectsOf('podman', engine), ...defectsOf('podman-compose', version)],
    needsService: false,
  };
}

/** 1.0.3 has no `--short`, and rests a second after it has answered. */
async function versionText(ask: Ask, [program]: ComposeCommand, short: Answer): Promise<string> {
  if (short.ok || !/unrecognized arguments: --short/.test(short.stderr)) return short.stdout;
  return (await ask(program, ['version'])).stdout;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
