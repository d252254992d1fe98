import { count } from '@lockstep/foundation';
import { jsonVersion } from '../json.ts';
import { titleOf } from '../migration.ts';
import type { Report, ReportNames } from '../report.ts';
import { describeNotes, jsonNotes, mergeNotes } from './notes.ts';
import { jsonProof, type RollbacksResult, type VerifyResult } from './verify.ts';

/** `verify`, when all is as it should be. */
export function reportVerify(result: VerifyResult, { service }: ReportNames): Report {
  const { database, version, fingerprint, comparisons } = result;
  const expectations = comparisons.map(({ expectation }) => expectation);
  const notes = mergeNotes(comparisons.map(({ notes: some }) => some));
  const equals = `${service ?? database} is at ${version ?? 'none'}, and its schema equals ${expectations.join(' and ')}`;
  return {
    text:
      notes.length === 0
        ? equals
        : [`${equals}, apart from:`, ...describeNotes(notes).map((line) => `  ${line}`)].join('\n'),
    json: {
      service: service ?? null,
      database,
      version: jsonVersion(version),
      compliant: true,
      fingerprint,
      expectations,
      notes: jsonNotes(notes),
    },
  };
}

/** `verify --rollbacks`, when each one is proven. */
export function reportRollbacks({ database, proofs }: RollbacksResult, { service }: ReportNames): Report {
  const proven = proofs.filter(({ verdict }) => verdict === 'proven');
  const irreversible = proofs.filter(({ verdict }) => verdict === 'irreversible');
  const lines = irreversible.map(({ migration }) => `  irreversible: ${titleOf(migration)}`);
  return {
    text: [
      `${service ?? database}: ${count(proven.length, 'rollback')} proven: up, down and up again give the same schema`,
      ...lines,
    ].join('\n'),
    json: { service: service ?? null, database, rollbacks: proofs.map(jsonProof) },
  };
}
