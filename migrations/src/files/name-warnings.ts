import type { FileWarning } from './file-warning.ts';
import { nameInvisible } from './invisible.ts';

/** What shells, links and other tools stumble over in a name that is taken all the same. */
export function nameWarnings(path: string, name: string, description: string): FileWarning[] {
  const rule = ruleOf(name, description);
  if (rule === undefined) return [];
  return [
    {
      path,
      name,
      code: 'name-characters',
      rule,
      fix: 'letters a to z, digits and _, before it is applied anywhere',
    },
  ];
}

function ruleOf(name: string, description: string): string | undefined {
  const unseen = nameInvisible(name);
  if (unseen !== undefined) return `its name holds ${unseen}, which nobody sees`;
  if (description === '') return 'its name has no description, so listings show the version alone';
  if (/\.(?:up|down)$/i.test(description))
    return `its description "${description}" ends like a direction, and the last one in the name counts`;
  const odd = [...new Set(description.match(/[^A-Za-z0-9_-]/gu))].map((character) =>
    JSON.stringify(character),
  );
  return odd.length === 0
    ? undefined
    : `its description holds ${odd.join(' ')}, which shells and tools may not take`;
}
