import type { Lookup } from '../compose/interpolate.ts';
import { Mistakes } from '../compose/mistakes.ts';
import { parseFiles } from '../compose/model.ts';
import { loadStack } from '../compose/read-stack.ts';
import type { Project } from '../project.ts';
import { type ComposeView, composeView } from './compose-view.ts';
import type { Finding } from './finding.ts';
import type { Fault } from './rule.ts';
import { rules } from './rules/index.ts';

/**
 * Reads the project's compose files for the rules. Also those that the stack's own reader refuses: what cannot be read is
 * passed over here, and reported by the reader.
 */
export function viewProject(project: Project, lookup: Lookup): ComposeView {
  const unread = new Mistakes();
  return composeView(loadStack({ project, parsed: parseFiles(project, unread) }, lookup, unread).tree);
}

/** Holds a stack against every rule; nothing at all when it has no services. */
export function checkCompose(view: ComposeView): Finding[] {
  if (view.services.length === 0) return [];
  const found = Object.entries(rules).flatMap(([rule, find]) => together(find(view)).map(toFinding(rule)));
  if (found.length === 0) {
    const checked = `${Object.keys(rules).length} rules, ${view.services.length} services`;
    return [{ mark: 'good', text: `nothing to find fault with (${checked})` }];
  }
  return found.sort(byPlace);
}

/** Faults at one place, as services that share a template have them, become one that names all its subjects. */
function together(faults: readonly Fault[]): Fault[] {
  const byPlaceAndFact = new Map<string, Fault>();
  for (const fault of faults) {
    const { file, line, column } = fault.place;
    const key = JSON.stringify([file, line, column, fault.fact]);
    const before = byPlaceAndFact.get(key);
    const subject = before === undefined ? fault.subject : `${before.subject}, ${fault.subject}`;
    byPlaceAndFact.set(key, { ...fault, subject });
  }
  return [...byPlaceAndFact.values()];
}

function toFinding(rule: string): (fault: Fault) => Finding {
  return ({ mark, place, subject, fact, because, fix }) => ({
    mark,
    rule,
    place,
    text: `${subject}: ${fact}`,
    because,
    act: `fix: ${fix}`,
  });
}

function byPlace({ place: a }: Finding, { place: b }: Finding): number {
  if (a === undefined || b === undefined) return 0;
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column;
}
