import { anchorOf, type Finding } from './finding.ts';
import type { Severity } from './rule.ts';
import { rules } from './rules/rules.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', notice: 'note' };

/**
 * Findings as SARIF, which code scanners and editors read.
 *
 * Source: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/
 */
export function toSarif(findings: readonly Finding[]): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const known = new Map(rules.map((rule) => [rule.code, rule]));
  const results = findings.map(({ code, severity, path, place, message, fix, allowed }) => ({
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: fix === undefined ? message : `${message}. Fix: ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: toUri(path) },
          ...(place === undefined ? {} : { region: { startLine: place.line, startColumn: place.column } }),
        },
      },
    ],
    ...(allowed === undefined ? {} : { suppressions: [{ kind: 'inSource', justification: allowed }] }),
  }));
  const driver = {
    name: 'lockstep migrate',
    rules: codes.map((code) => ({
      id: code,
      helpUri: anchorOf(code),
      ...(known.has(code) ? { fullDescription: { text: known.get(code)?.reason } } : {}),
    })),
  };
  const run = { tool: { driver }, columnKind: 'unicodeCodePoints', results };
  return JSON.stringify(
    { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] },
    undefined,
    2,
  );
}

/** Relative, with `/` and escapes. */
function toUri(path: string): string {
  return path.split(/[/\\]/).map(encodeURIComponent).join('/');
}
