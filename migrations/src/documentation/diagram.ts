import type { Relation } from './read-schema.ts';

/**
 * The tables and how they refer to each other, for Mermaid. What it cannot take in a name is replaced by `_`.
 *
 * Source: https://mermaid.js.org/syntax/entityRelationshipDiagram.html
 */
export function erDiagram(relations: readonly Relation[]): string[] {
  const tables = relations.filter(
    ({ kind }) => kind === 'table' || kind === 'partitioned table' || kind === 'foreign table',
  );
  if (tables.length === 0) return [];
  const ids = new Map<string, string>();
  for (const { name } of tables) ids.set(name, uniqueId(name, new Set(ids.values())));
  const lines = tables.flatMap(({ name, columns, references }) => {
    const foreign = new Set(references.flatMap((reference) => reference.columns));
    return [
      `  ${ids.get(name)} {`,
      ...columns.map((column) => {
        const keys = [
          column.primary ? 'PK' : '',
          foreign.has(column.name) ? 'FK' : '',
          column.unique ? 'UK' : '',
        ].filter((key) => key !== '');
        return `    ${toWord(column.type)} ${toWord(column.name)}${keys.length === 0 ? '' : ` ${keys.join(', ')}`}`;
      }),
      '  }',
    ];
  });
  const relationsLines = tables.flatMap(({ name, references }) =>
    references.flatMap(({ to, columns, required, single }) => {
      const base = ids.get(to);
      // Crow's feet: what is referred to stands at the left.
      return base === undefined
        ? []
        : [
            `  ${base} ${required ? '||' : '|o'}--${single ? 'o|' : 'o{'} ${ids.get(name)} : "${columns.map(toWord).join(', ')}"`,
          ];
    }),
  );
  return ['```mermaid', 'erDiagram', ...lines, ...relationsLines, '```', ''];
}

function toWord(text: string): string {
  const word = text.replace(/[^A-Za-z0-9_()[\]-]+/g, '_').replace(/^[^A-Za-z_]+/, '_');
  return word === '' ? '_' : word;
}

function uniqueId(name: string, taken: ReadonlySet<string>): string {
  const base = toWord(name).replace(/[()[\]]/g, '_');
  let id = base;
  for (let number = 2; taken.has(id); number++) id = `${base}_${number}`;
  return id;
}
