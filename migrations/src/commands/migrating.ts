import type { Options, Work } from '../command.ts';
import type { Target } from '../plan.ts';
import { textOf } from './arguments.ts';

/** The options of every command that runs steps. */
export const migratingOptions = [
  ['--dry-run', 'looks whether it may begin and shows what it would do; changes nothing'],
  ['--yes', 'does not ask, where the strategy would have yes typed'],
  ['--approved <file>', 'runs exactly the plan that migrate plan --out wrote, or refuses'],
] as const;

/** The work of every command that runs steps to `target`. */
export function migrating(target: Target, { yes, approved, dryRun }: Options): Work {
  return async (settings, hooks, names) => {
    if (dryRun === true) {
      const { lookAhead } = await import('../guarded.ts');
      const { reportPlan } = await import('../report.ts');
      const { result, run } = await lookAhead(settings, target, hooks);
      return reportPlan(result, names, run);
    }
    const { migrateTo } = await import('../migrate.ts');
    const { reportMigrate } = await import('../report.ts');
    const consent = { yes: yes === true, approvedFile: textOf(approved) };
    return reportMigrate(await migrateTo(settings, target, hooks, consent), names);
  };
}
