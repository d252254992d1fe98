import type { Log } from '@lockstep/foundation/log';
import type { FileWarning, FileWarningCode } from './file-warning.ts';

/**
 * How a run tells of warnings: one line for each code. The rest is about looks, and is told by `validate` alone: who has a
 * finished history cannot change it, and would read it at every start.
 */
const lines: Partial<Record<FileWarningCode, (names: string, first: FileWarning) => string>> = {
  'passed-over': (names) => `passed over, as the name is no migration's: ${names}`,
  'down-without-up': (names) => `passed over, as there is no up file: ${names}`,
  'direction-heading': (names) => `a comment says that the way back follows, and it runs: ${names}`,
  'number-order': (_, { rule }) => rule,
};

const mostNames = 3;
const told = new WeakMap<Log, Set<string>>();

/** Writes what a run should know about its files to the log, each line once however often they are read. */
export function tellWarnings(log: Log, warnings: readonly FileWarning[]): void {
  const before = told.get(log) ?? new Set();
  told.set(log, before);
  for (const [code, lineOf] of Object.entries(lines)) {
    const found = warnings.filter((warning) => warning.code === code);
    const [first] = found;
    if (first === undefined) continue;
    const names = found
      .slice(0, mostNames)
      .map(({ path, name, place }) => (place === undefined ? name : `${path}:${place.line}:${place.column}`));
    const more = found.length > mostNames ? ` and ${found.length - mostNames} more` : '';
    const line = lineOf(`${names.join(', ')}${more}`, first);
    if (before.has(line)) continue;
    before.add(line);
    log.warn(line);
  }
}
