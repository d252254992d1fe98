import type { Options, Work } from '../command.ts';

/** The options of the commands that replace a whole database. */
export const foreseeingOptions = [
  ['--dry-run', 'looks whether it can be done, and changes nothing'],
] as const;

/** The work of such a command: the deed, or with `--dry-run` a look at what stands in its way. */
export function foreseeing(command: 'recreate' | 'undo', { dryRun }: Options, deed: Work): Work {
  if (dryRun !== true) return deed;
  return async (settings, hooks, names) => {
    const { foresee } = await import('../foresee.ts');
    const { reportForesight } = await import('../foresee-report.ts');
    return reportForesight(await foresee(settings, command, hooks), command, names);
  };
}
