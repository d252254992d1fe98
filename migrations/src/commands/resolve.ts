import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { DirtyState, Resolution } from '../resolve.ts';

export const resolve: Command = {
  usage: 'resolve',
  words: 'out of dirty: shows what landed, and records the step as applied or pending',
  options: [
    ['--applied', 'records that the step is applied, whatever the schema tells'],
    ['--pending', 'records that nothing of it is there, so that it runs again'],
    ['--yes', 'does not ask'],
    ['--dry-run', 'shows what landed and what would be recorded'],
  ],
  help: `
The schema before the step, and what the step makes of it, are built in a scratch database and compared with the schema that is
there. When all of it landed, or nothing, that is recorded after a typed yes (or --yes); when a part did, or only rows tell, it
ends with 5 and says what is there: somebody completes it or undoes it, and says which with --applied or --pending.`,
  audited: 'MIGRATION_EXECUTE',
  examples: ['resolve --dry-run', 'resolve --pending --yes'],
  prepare: (_argument, { applied, pending, yes, dryRun }) => {
    if (applied === true && pending === true) {
      throw new UsageError('--applied and --pending cannot be used together', 'migrate resolve --help');
    }
    const chosen: Resolution | undefined =
      applied === true ? 'applied' : pending === true ? 'pending' : undefined;
    const isDryRun = dryRun === true;
    return async (settings, hooks, names) => {
      const { examineDirty, recordResolution } = await import('../resolve.ts');
      const { reportResolve, UnresolvedError, describeDirty } = await import('../resolve-report.ts');
      const dirty = await examineDirty(settings, hooks);
      if (typeof dirty === 'string') {
        return reportResolve({ database: dirty, dirty: undefined, recorded: undefined, isDryRun }, names);
      }
      const resolution = chosen ?? toldBy(dirty);
      if (resolution === undefined) throw new UnresolvedError(settings.service ?? dirty.database, dirty);
      if (!isDryRun) {
        if (yes !== true) {
          const { confirm } = await import('../confirm.ts');
          const intent = `${dirty.label} would be recorded as ${resolution}; nothing would be run`;
          await confirm([...describeDirty(dirty), intent].join('\n'), hooks.signal);
        }
        await recordResolution(settings, dirty, resolution, hooks);
      }
      return reportResolve({ database: dirty.database, dirty, recorded: resolution, isDryRun }, names);
    };
  },
};

/** What the schema alone tells for certain. */
function toldBy({ verdict }: DirtyState): Resolution | undefined {
  if (verdict === 'landed') return 'applied';
  return verdict === 'not landed' ? 'pending' : undefined;
}
