import type { Settings } from '../config.ts';
import { type Hooks, operate } from '../operation.ts';
import { readWatched } from '../watched-read.ts';
import { type Backup, listBackups } from './store.ts';
import { takeBackup } from './take.ts';

export interface BackupResult {
  readonly backup: Backup;
  readonly milliseconds: number;
}

/**
 * Takes a full backup of the database. Takes no migration lock: what it holds is one snapshot.
 *
 * @param verified whether it is restored into a scratch database and compared before it counts
 */
export function backUpDatabase(
  settings: Settings,
  { verified }: { readonly verified: boolean },
  hooks: Hooks = {},
): Promise<BackupResult> {
  return operate(settings, hooks, async (operation) => {
    const session = await operation.connect();
    try {
      const state = await readWatched(operation, session, { downSql: false });
      const backup = await takeBackup(operation, session, state, { kind: 'full', verified });
      return { backup, milliseconds: operation.deadline.elapsed() };
    } finally {
      await session.close();
    }
  });
}

/** Every backup in the folder, newest first; asks no server. */
export function readBackups({ backups }: Settings): Promise<Backup[]> {
  return listBackups(backups.folder);
}
