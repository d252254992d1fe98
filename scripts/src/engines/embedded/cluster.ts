import { spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Launch } from './launch.ts';
import { trySignal } from './leftovers.ts';

/** What initdb needs of its surroundings. */
export interface ClusterWork {
  /** Where its output goes: an open file. */
  readonly log: number;
  /** Told of initdb's process group, and when it is gone. */
  readonly started: (group: number) => void;
  readonly ended: (group: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes the data folder if there is none. It is made beside and renamed when whole, so a killed initdb leaves nothing
 * that looks like a cluster. Without syncing to disk: until the system has written it out, some 30 seconds, a crash of
 * the machine (not of Postgres) may cost a cluster that was made just now. After that Postgres syncs as it always does.
 *
 * @throws {Error} with a sentence for people
 */
export async function ensureCluster(launch: Launch, cluster: Cluster, work: ClusterWork): Promise<void> {
  const { clusterFolder, major } = cluster;
  const versionFile = join(clusterFolder, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const found = readFileSync(versionFile, 'utf8').trim();
    if (found !== String(major)) {
      throw new Error(
        `the data in ${clusterFolder} is of Postgres ${found}, and the programs are of Postgres ${major}`,
      );
    }
    await endStalePostmaster(clusterFolder);
    return;
  }
  if (existsSync(clusterFolder) && readdirSync(clusterFolder).length > 0) {
    throw new Error(`${clusterFolder} is not empty, and not a Postgres data folder`);
  }
  refuseFullDisk(dirname(clusterFolder));
  const beside = `${clusterFolder}.new`;
  const passwordFile = join(dirname(clusterFolder), 'password.new');
  rmSync(beside, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  try {
    writeFileSync(passwordFile, readFileSync(cluster.passwordFile), { mode: 0o600, flag: 'wx' });
    if (launch.user !== undefined) chownSync(passwordFile, launch.user.uid, launch.user.gid);
    await runInitdb(launch, cluster, { beside, passwordFile, work });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  rmSync(clusterFolder, { recursive: true, force: true });
  renameSync(beside, clusterFolder);
}

/** What initdb writes at least, log of changes included. */
const leastMegabytes = 60;

/** initdb says it in the middle of thirty lines, and removes what filled the disk before anybody can look. */
function refuseFullDisk(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1024 / 1024);
  if (free >= leastMegabytes) return;
  throw new Error(
    `no space left for a database: ${free} MB free on the disk of ${folder}, ${leastMegabytes} MB needed`,
  );
}

function runInitdb(
  launch: Launch,
  { initdb, superuser }: Cluster,
  { beside, passwordFile, work }: { beside: string; passwordFile: string; work: ClusterWork },
): Promise<void> {
  const args = [
    `--pgdata=${beside}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order and case rules on every machine, whatever locales it has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
    '--no-instructions',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(initdb, args, {
      cwd: dirname(beside),
      env: { PATH: launch.environment['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', work.log, work.log],
      detached: true,
      ...launch.user,
    });
    const group = child.pid;
    const stop = () => void (group !== undefined && trySignal(-group, 'SIGKILL'));
    if (group !== undefined) work.started(group);
    work.signal.addEventListener('abort', stop, { once: true });
    const finish = (settle: () => void) => {
      work.signal.removeEventListener('abort', stop);
      if (group !== undefined) work.ended(group);
      settle();
    };
    child.once('error', (error) => finish(() => reject(new Error(`initdb cannot start: ${error.message}`))));
    child.once('exit', (status, signal) =>
      finish(() => (status === 0 ? resolve() : reject(new Error(`initdb ended with ${status ?? signal}`)))),
    );
  });
}

/** Above every system's highest pid, so that no process ever has it. */
const nobodysPid = 2 ** 31 - 2;

/**
 * Postgres refuses to start while postmaster.pid names a process, even when that pid now belongs to another program (after
 * a reboot, say), or to a zombie that nobody collects (in a container without an init, say). A postmaster of this very
 * folder is a leftover of ours and is stopped.
 */
async function endStalePostmaster(clusterFolder: string): Promise<void> {
  const file = join(clusterFolder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const text = readFileSync(file, 'utf8');
  const pid = Number.parseInt(text, 10);
  if (!Number.isSafeInteger(pid) || pid < 2) return;
  if (commandLine(pid)?.includes(clusterFolder)) await endPostmaster(pid);
  // Not there, or a system that does not tell: Postgres' own check decides.
  if (!existsSync(`/proc/${pid}`) || !existsSync(file)) return;
  // The pid alone: by the other lines Postgres knows whether processes of a dead postmaster still use its memory.
  writeFileSync(file, text.replace(/^\s*\d+/, String(nobodysPid)));
}

async function endPostmaster(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    trySignal(pid, signal);
    for (let turn = 0; turn < 100 && commandLine(pid) !== undefined; turn++) await sleep(50);
    if (commandLine(pid) === undefined) return;
  }
}

/** Undefined when the process is gone, is a zombie, or the system has no such file. */
function commandLine(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
