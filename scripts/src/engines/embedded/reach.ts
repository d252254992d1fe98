import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { UnixUser } from './launch.ts';

/**
 * The user Postgres runs as: undefined (the caller's own) unless the caller is root, whom Postgres refuses. Then it is
 * `postgres` if there is one, else `nobody`.
 */
export function postgresUser(): UnixUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return userNamed('postgres') ?? userNamed('nobody') ?? { uid: 65_534, gid: 65_534 };
}

function userNamed(name: string): UnixUser | undefined {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    return uid === undefined || gid === undefined || Number(uid) === 0
      ? undefined
      : { uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined;
  }
}

/** The first folder at or above `path` that `user` cannot pass through, or undefined when it can reach `path`. */
export function blockingFolder(path: string, { uid, gid }: UnixUser): string | undefined {
  let folder = realpathSync(path);
  const above: string[] = [];
  for (;;) {
    above.unshift(folder);
    if (dirname(folder) === folder) break;
    folder = dirname(folder);
  }
  return above.find((one) => {
    const { mode, uid: owner, gid: group } = statSync(one);
    const needed = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    return (mode & needed) === 0;
  });
}
