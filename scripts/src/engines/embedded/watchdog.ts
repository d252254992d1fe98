import { type ChildProcess, spawn } from 'node:child_process';

/** Sends each group its stop signal when its standard input ends, and ends for good what is left after five seconds. */
const script = `
trap '' HUP INT QUIT TERM
groups=''
without() { rest=''; for one in $groups; do case $one in "$1":*) ;; *) rest="$rest $one" ;; esac; done; groups=$rest; }
while read -r verb group signal; do
  case $verb in
    add) without "$group"; groups="$groups $group:$signal" ;;
    remove) without "$group" ;;
  esac
done
for one in $groups; do kill -s "\${one#*:}" "\${one%%:*}" 2>/dev/null; done
turn=0
while [ $turn -lt 50 ]; do
  left=''
  for one in $groups; do kill -s 0 -- "-\${one%%:*}" 2>/dev/null && left=yes; done
  [ -z "$left" ] && exit 0
  sleep 0.1
  turn=$((turn + 1))
done
for one in $groups; do kill -s KILL -- "-\${one%%:*}" 2>/dev/null; done
`;

/**
 * Outlives the supervisor by a moment: a shell that reads from a pipe only the supervisor writes to. When the pipe
 * closes, however the supervisor ended (kill -9 included), it stops every process group it was told of.
 */
export class Watchdog {
  readonly #groups = new Map<number, NodeJS.Signals>();
  #shell: ChildProcess | undefined;
  #ended = false;

  add(group: number, stopSignal: NodeJS.Signals): void {
    this.#groups.set(group, stopSignal);
    if (this.#shell === undefined) this.#start();
    else this.#tell('add', group, stopSignal);
  }

  remove(group: number): void {
    this.#groups.delete(group);
    this.#tell('remove', group);
  }

  /** Lets it go; nothing may run any more. */
  end(): void {
    this.#ended = true;
    this.#shell?.stdin?.end();
  }

  #start(): void {
    // Its own session: no terminal's signal reaches it.
    const shell = spawn('/bin/sh', ['-c', script, 'lockstep-watchdog'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
    });
    this.#shell = shell;
    shell.stdin.on('error', () => undefined);
    shell.on('error', () => undefined);
    shell.unref();
    shell.once('exit', () => {
      this.#shell = undefined;
      if (!this.#ended && this.#groups.size > 0) this.#start();
    });
    for (const [group, signal] of this.#groups) this.#tell('add', group, signal);
  }

  #tell(verb: 'add' | 'remove', group: number, signal?: NodeJS.Signals): void {
    this.#shell?.stdin?.write(`${verb} ${group} ${signal?.slice('SIG'.length) ?? ''}\n`);
  }
}
