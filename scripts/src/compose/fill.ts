import { interpolate, type Lookup } from './interpolate.ts';
import type { Mistakes } from './mistakes.ts';
import { word } from './scalar.ts';
import type { Scalar, Tree } from './tree.ts';

/** The tree with every variable filled in, and the names that were neither set nor had a default as warnings. */
export function fillTree(tree: Tree, lookup: Lookup, mistakes: Mistakes): Tree {
  // Shared subtrees (YAML aliases) are filled in once.
  const filled = new Map<Tree, Tree>();
  const fill = (node: Tree): Tree => {
    const before = filled.get(node);
    if (before !== undefined) return before;
    const after = fillNode(node);
    filled.set(node, after);
    return after;
  };
  const fillNode = (node: Tree): Tree => {
    if (node.kind === 'scalar') return fillScalar(node, lookup, mistakes);
    if (node.kind === 'list') return { ...node, items: node.items.map(fill) };
    return { ...node, entries: new Map([...node.entries].map(([key, value]) => [key, fill(value)])) };
  };
  return fill(tree);
}

function fillScalar(node: Scalar, lookup: Lookup, mistakes: Mistakes): Scalar {
  if (node.type !== 'string' || !node.text.includes('$')) return node;
  const { text, mistakes: wrong, unset } = interpolate(node.text, lookup);
  for (const mistake of wrong) mistakes.add(node.place, mistake);
  for (const name of unset) mistakes.warn(node.place, `${name} is not set; it counts as empty`);
  // What a variable holds stays a string, whatever it looks like.
  return { ...node, ...word(text) };
}
