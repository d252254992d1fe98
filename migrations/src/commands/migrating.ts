import type { Work } from '../command.ts';
import type { Target } from '../plan.ts';

/** The work of every command that runs steps to `target`. */
export function migrating(target: Target): Work {
  return async (settings, hooks, names) => {
    const { migrateTo } = await import('../migrate.ts');
    const { reportMigrate } = await import('../report.ts');
    return reportMigrate(await migrateTo(settings, target, hooks), names);
  };
}
