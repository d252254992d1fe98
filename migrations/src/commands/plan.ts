import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { Target } from '../plan.ts';
import { stepsOf, textOf, versionOf } from './arguments.ts';

export const plan: Command = {
  usage: 'plan',
  words: 'shows what up would run; changes nothing',
  options: [
    ['--up <steps>', 'of up [steps] instead'],
    ['--down <steps>', 'of down [steps] instead'],
    ['--goto <version>', 'of goto <version> instead'],
    ['--rollback <version>', 'of rollback <version> instead'],
    ['--out <file>', 'writes the plan to be signed off, once every pre-flight check of the strategy holds'],
  ],
  help: `
With --out the file says which steps would run, by their checksums, in which database, and how carefully. The same command line
with --approved and that file (as in: up --approved plan.json) runs exactly this, or ends with 7 when anything is otherwise by then.`,
  examples: ['plan', 'plan --out plan.json --environment production', 'plan --goto 12 --format json'],
  prepare: (_argument, options) => {
    const target = targetOf(options);
    const out = textOf(options['out']);
    return async (settings, hooks, names) => {
      const { reportPlan } = await import('../report.ts');
      if (out === undefined) {
        const { readPlan } = await import('../inspect.ts');
        return reportPlan(await readPlan(settings, target, hooks), names);
      }
      const { lookAhead } = await import('../guarded.ts');
      const { writePlanFile } = await import('../approval/plan-file.ts');
      const { result, run } = await lookAhead(settings, target, hooks);
      if (run !== undefined) await writePlanFile(out, run);
      return reportPlan(result, names, run, run === undefined ? undefined : out);
    };
  },
};

function targetOf(options: Readonly<Record<string, string | true | undefined>>): Target {
  const given = ['up', 'down', 'goto', 'rollback'].filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    const names = given.map((name) => `--${name}`).join(' and ');
    throw new UsageError(`${names} cannot be used together`, 'migrate plan --help');
  }
  const [kind] = given;
  const text = textOf(options[kind ?? '']) ?? '';
  switch (kind) {
    case 'up':
    case 'down':
      return { kind, steps: stepsOf(text, 'plan') };
    case 'goto':
      return { kind, version: versionOf(text, '--goto', 'plan') };
    case 'rollback':
      return { kind: 'goto', version: versionOf(text, '--rollback', 'plan'), downOnly: true };
    default:
      return { kind: 'latest' };
  }
}
