import type { Command } from '../command.ts';
import { textOf } from './arguments.ts';

export const deps: Command = {
  usage: 'deps',
  words: 'shows in which order the migrations of several services run; asks no server',
  options: [
    [
      '--root <folder>',
      'where the services are: each <service>/migrations below it; default: the working directory',
    ],
    ['--mermaid', 'prints the graph for Mermaid'],
  ],
  help: `
A dependencies.json in a folder of migrations says which version of another service one needs:
  { "needs": { "000004": ["services-api@000011"] } }
up waits before such a migration, within its deadline, until the other database on the same server is there. A cycle, a version that
does not exist and one that comes later in the same service end it with 3, with the path.`,
  examples: ['deps', 'deps --root . --mermaid'],
  offline: () => true,
  prepare: (_argument, options) => async () => {
    const { readServices } = await import('../dependencies/read-services.ts');
    const { planGraph } = await import('../dependencies/graph.ts');
    const { reportDependencies } = await import('../dependencies/dependency-report.ts');
    const services = await readServices(textOf(options['root']) ?? '.');
    const graph = planGraph(services);
    if (graph.problems.length > 0) {
      const { DependencyGraphError } = await import('../dependencies/errors.ts');
      throw new DependencyGraphError(graph.problems);
    }
    return reportDependencies(services, graph, options['mermaid'] === true);
  },
};
