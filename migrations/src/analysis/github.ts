import type { Finding } from './finding.ts';

/**
 * Findings as workflow commands, which GitHub shows at the lines of a pull request.
 *
 * Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function toAnnotations(findings: readonly Finding[]): string {
  return findings
    .filter(({ allowed }) => allowed === undefined)
    .map(({ severity, path, place, code, message, fix }) => {
      const where = place === undefined ? '' : `,line=${place.line},col=${place.column}`;
      const words = fix === undefined ? message : `${message}\nfix: ${fix}`;
      return `::${severity} file=${escapeProperty(path)}${where},title=${escapeProperty(code)}::${escapeText(words)}`;
    })
    .join('\n');
}

function escapeText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
