import { highest, strategyFor } from '../analysis/risk.ts';
import { risksOf } from '../approval/risks.ts';
import { approvals, backupKinds, strategies } from '../strategy.ts';
import { type Check, failed, note, ok } from './check.ts';

/**
 * A plan must be run as carefully as its risk asks for: by the backup and the approval of the strategy that is for it. Production
 * refuses less; elsewhere it is told. What goes down is never refused for it: a rollback is wanted at once.
 */
export const riskCheck: Check = {
  name: 'risk',
  level: 'minimal',
  concerns: ({ plan }) => plan.steps.some(({ direction }) => direction === 'up'),
  look: async ({ operation, plan, migrations }) => {
    const ups = plan.steps.filter(({ direction }) => direction === 'up');
    const risks = await risksOf(ups, migrations);
    const level = highest(risks.map((risk) => risk.level));
    const { strategy, environment } = operation.settings;
    const needed = strategies[strategyFor[level]];
    const risky = ups.filter((_, index) => risks[index]?.level === level).map(({ label }) => label);
    const words = level === 'low' ? 'low' : `${level} (${risky.slice(0, 5).join(', ')})`;
    const missing = [
      ...(backupKinds.indexOf(strategy.backup) < backupKinds.indexOf(needed.backup)
        ? [`a backup that is ${needed.backup}, and this is ${strategy.backup}`]
        : []),
      ...(approvals.indexOf(strategy.approval) < approvals.indexOf(needed.approval)
        ? [`approval by ${needed.approval}, and this is ${strategy.approval}`]
        : []),
    ];
    if (missing.length === 0) return ok(words);
    const asks = `${words}: run with --approach ${needed.name}: ${missing.join('; ')}`;
    return environment === 'production' ? failed(asks) : note(asks);
  },
};
