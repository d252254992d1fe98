import { startOrder } from '../../compose/graph.ts';
import type { SupervisedService } from './supervised.ts';

/** Stops services, each before those it depends on; in parallel where no one depends on the other. */
export async function stopInOrder(services: readonly SupervisedService[]): Promise<void> {
  const stopped = new Map<string, Promise<void>>();
  const byName = new Map(services.map((service) => [service.launch.service, service]));
  const dependents = (name: string) =>
    services.filter(({ launch }) => launch.dependsOn.some((one) => one.service === name));
  const stop = (service: SupervisedService): Promise<void> => {
    const { service: name } = service.launch;
    const before = stopped.get(name);
    if (before !== undefined) return before;
    const work = Promise.all(dependents(name).map(stop)).then(() => service.stop());
    stopped.set(name, work);
    return work;
  };
  const graph = new Map(
    services.map(({ launch }) => [launch.service, launch.dependsOn.map((one) => one.service)] as const),
  );
  // Dependents first, so that the recursion above never waits for itself.
  for (const name of startOrder(graph).reverse()) {
    const service = byName.get(name);
    if (service !== undefined) void stop(service);
  }
  await Promise.all(stopped.values());
}
