import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';

type Tree = Record<string, unknown>;

/**
 * Makes sure that a compose file says after an addition what it said before, and the new service besides.
 *
 * @throws {UsageError} when the file is written in a way that the addition did not fit
 */
export function checkAddition(
  file: string,
  { before, after }: { before: string; after: string },
  { names, bootstrap }: { names: readonly string[]; bootstrap: string },
): void {
  const [old, now] = [read(before), read(after)];
  const missing = now === undefined ? names : names.filter((name) => !has(now, ['services', name]));
  if (now !== undefined && missing.length === 0) {
    // What is told its services grows by the new one; it is compared without what grew.
    const rest = (tree: Tree) => without(tree, names, bootstrap);
    if (old !== undefined && isDeepStrictEqual(rest(old), rest(now))) return;
  }
  throw new UsageError(`${file} is written in a way that nothing can be added to`, {
    evidence: [
      'expected one line for each service, volume, mount and folder, as the stack came with',
      'nothing was written',
    ],
    hint: 'add it by hand: copy what names another service, with the new name',
  });
}

function read(text: string): Tree | undefined {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  return document.errors.length > 0 ? undefined : (document.toJS({ maxAliasCount: -1 }) as Tree);
}

function has(tree: Tree, path: readonly string[]): boolean {
  return at(tree, path) !== undefined;
}

function at(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(tree: Tree, names: readonly string[], bootstrap: string): unknown {
  const services = leave(at(tree, ['services']), names);
  const own = (value: unknown) => names.some((name) => String(value).includes(name));
  const told = at(tree, ['services', bootstrap]);
  const volumes = at(told, ['volumes']);
  const environment = leave(at(told, ['environment']), ['BOOTSTRAP_SERVICES', 'CREDENTIALS_FOLDERS']);
  return {
    ...tree,
    services: {
      ...services,
      ...(isTree(told) && {
        [bootstrap]: {
          ...told,
          environment,
          volumes: Array.isArray(volumes) ? volumes.filter((one) => !own(one)) : volumes,
        },
      }),
    },
    volumes: Object.entries(leave(at(tree, ['volumes']), [])).filter(([key]) => !own(key)),
  };
}

function leave(value: unknown, names: readonly string[]): Tree {
  return Object.fromEntries(
    Object.entries(isTree(value) ? value : {}).filter(([key]) => !names.includes(key)),
  );
}
