import { count } from '@lockstep/foundation';
import { DocumentedFailure } from '../errors.ts';
import type { Json } from '../json.ts';
import { includes } from '../strategy.ts';
import type { Check, Finding, Outlook } from './check.ts';
import { historyCheck } from './history-check.ts';
import { riskCheck } from './risk-check.ts';
import {
  backupCheck,
  rehearsalCheck,
  schemaCheck,
  scratchCheck,
  specificationCheck,
} from './safeguard-checks.ts';
import {
  connectionsCheck,
  directCheck,
  extensionsCheck,
  filesCheck,
  roleCheck,
  serverCheck,
  transactionsCheck,
  writableCheck,
} from './server-checks.ts';
import { windowCheck } from './window-check.ts';

/** Every check, in the order of the list; each names the level from which on it is looked at. */
export const checks: readonly Check[] = [
  serverCheck,
  filesCheck,
  historyCheck,
  writableCheck,
  directCheck,
  roleCheck,
  connectionsCheck,
  extensionsCheck,
  riskCheck,
  windowCheck,
  backupCheck,
  scratchCheck,
  schemaCheck,
  specificationCheck,
  rehearsalCheck,
  transactionsCheck,
];

/** One line of the list, as it came out. */
export interface CheckedLine extends Finding {
  readonly name: string;
}

/** Something that should hold before a run does not. */
export class PreflightFailedError extends DocumentedFailure {
  readonly document: Readonly<Record<string, Json>>;

  constructor(name: string, lines: readonly CheckedLine[]) {
    const wrong = lines.filter(({ verdict }) => verdict === 'failed');
    super(`${count(wrong.length, 'pre-flight check')} of ${name} failed`, {
      code: 'preflight',
      exitStatus: statusOf(wrong),
      evidence: [...wrong.map(({ name: check, words }) => `${check}: ${words}`), 'nothing was changed'],
    });
    this.document = { preflight: lines.map(jsonLine) };
  }
}

/**
 * Looks at everything that the strategy's level of validation lists, tells each line, and lets none hide another.
 *
 * @throws {PreflightFailedError} with every check that failed
 */
export async function preflight(outlook: Outlook): Promise<CheckedLine[]> {
  const { operation, state } = outlook;
  const { strategy, service } = operation.settings;
  const lines: CheckedLine[] = [];
  for (const { name, level, concerns, look } of checks) {
    if (!includes(strategy.validation, level) || concerns?.(outlook) === false) continue;
    for (const finding of await operation.deadline.during('preflight', () => look(outlook))) {
      lines.push({ name, ...finding });
      const level = finding.verdict === 'failed' ? 'error' : finding.verdict === 'note' ? 'warn' : 'info';
      const mark = { ok: 'ok', note: 'note', failed: 'FAILED' }[finding.verdict];
      operation.log[level](`pre-flight ${name.padEnd(13)} ${mark.padEnd(6)} ${finding.words}`);
    }
  }
  if (lines.some(({ verdict }) => verdict === 'failed')) {
    throw new PreflightFailedError(service ?? state.database, lines);
  }
  return lines;
}

/** What concerns the machine before what concerns the history. */
function statusOf(wrong: readonly CheckedLine[]): 3 | 5 | 6 | 7 {
  const statuses = wrong.map(({ exitStatus = 3 }) => exitStatus);
  return ([3, 5, 6, 7] as const).find((status) => statuses.includes(status)) ?? 3;
}

export function jsonLine({ name, verdict, words }: CheckedLine): Json {
  return { name, verdict, words };
}
