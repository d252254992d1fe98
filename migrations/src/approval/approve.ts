import { count } from '@lockstep/foundation';
import type { Settings } from '../config.ts';
import { confirm } from '../confirm.ts';
import { ApprovalMissingError } from '../errors.ts';
import { titleOf } from '../migration.ts';
import type { Hooks } from '../operation.ts';
import { digestOf, type PlannedRun, readPlanFile, requireApproved } from './plan-file.ts';

/** How somebody said yes beforehand. */
export interface Consent {
  /** `--yes` */
  readonly yes: boolean;
  /** A plan file that was signed off; `--approved` */
  readonly approvedFile: string | undefined;
}

/**
 * Gets the strategy's approval of `run`, and returns what was approved, which may then run and nothing else.
 *
 * @throws {ApprovalMissingError} exit status 7
 */
export async function approve(
  settings: Settings,
  run: PlannedRun,
  consent: Consent,
  { signal }: Hooks,
): Promise<PlannedRun> {
  const { approval, name } = settings.strategy;
  if (consent.approvedFile !== undefined) {
    const approved = await readPlanFile(consent.approvedFile);
    requireApproved(approved, run);
    return approved;
  }
  if (approval === 'manual') {
    throw new ApprovalMissingError(
      `the ${name} strategy runs a plan that was signed off, and none was given`,
      [...describeRun(run), 'migrate plan --out plan.json writes it; --approved plan.json runs exactly that'],
      'migrate plan --out plan.json',
    );
  }
  if (approval === 'prompt' && !consent.yes) await confirm(describeRun(run).join('\n'), signal);
  return run;
}

/** The plan with its risks, a line each. */
export function describeRun(run: PlannedRun): string[] {
  const { service, database, environment, strategy, steps, decision, from, to } = run;
  const where = environment === null ? '' : ` in ${environment}`;
  const way = `from ${from ?? 'none'} to ${to ?? 'none'}`;
  const does = decision === 'recreate' ? 'recreate the database' : count(steps.length, 'step');
  return [
    `${service ?? database.name}${where}, ${strategy.name}: ${does}, ${way} (plan ${digestOf(run).slice(0, 12)})`,
    ...steps.flatMap(({ version, description, direction, statements, risks }) => [
      `  ${titleOf({ label: version, description })} (${direction}), ${count(statements, 'statement')}`,
      ...risks.map((risk) => `    ! ${risk}`),
    ]),
  ];
}
