/** A graph of names: each with the names it waits for. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** The names, each after all it waits for; a name outside the graph counts as there. Needs a graph without cycles. */
export function startOrder(graph: Graph): string[] {
  const order = new Set<string>();
  const visit = (name: string): void => {
    if (order.has(name) || !graph.has(name)) return;
    for (const before of graph.get(name) ?? []) visit(before);
    order.add(name);
  };
  for (const name of graph.keys()) visit(name);
  return [...order];
}

/** A cycle as a path that ends where it begins (`a`, `b`, `a`), or undefined when there is none. */
export function findCycle(graph: Graph): string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | undefined => {
    const at = path.indexOf(name);
    if (at !== -1) return [...path.slice(at), name];
    if (finished.has(name)) return undefined;
    path.push(name);
    for (const before of graph.get(name) ?? []) {
      const cycle = visit(before);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    finished.add(name);
    return undefined;
  };
  for (const name of graph.keys()) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** `names` and everything they wait for, directly or not. */
export function withDependencies(graph: Graph, names: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const before of graph.get(name) ?? []) visit(before);
  };
  for (const name of names) visit(name);
  return found;
}
