import { canonical } from '../../src/compose/canonical.ts';
import { fillTree } from '../../src/compose/fill.ts';
import { Mistakes } from '../../src/compose/mistakes.ts';
import { parseTrees } from '../../src/compose/tree.ts';
import { composeView } from '../../src/doctor/compose-view.ts';
import type { Fault, Rule } from '../../src/doctor/rule.ts';

/** What a rule finds among the services; `rest` is the file after them. Variables are not set. */
export function faults(rule: Rule, services: string, rest = ''): readonly Fault[] {
  const text = `services:\n${services.replace(/^/gm, '  ')}\n${rest}`;
  const mistakes = new Mistakes();
  const [tree] = parseTrees(text, 'compose.yaml', mistakes);
  mistakes.finish();
  const filled = tree === undefined ? undefined : fillTree(tree, () => undefined, mistakes);
  if (filled?.kind !== 'map') throw new Error('the text is a map');
  return rule(composeView(canonical(filled, mistakes)));
}

/** As {@link faults}, each as `mark line:column subject: fact`. */
export function found(rule: Rule, services: string, rest = ''): string[] {
  return faults(rule, services, rest).map(
    ({ mark, place, subject, fact }) => `${mark} ${place.line}:${place.column} ${subject}: ${fact}`,
  );
}
