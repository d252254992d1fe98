import { completed, type ServiceView } from '../compose-view.ts';
import type { Rule } from '../rule.ts';

/** One-shots that nobody waits for. */
export const unawaitedOneShot: Rule = ({ services }) => {
  const awaited = new Set(
    services.flatMap(({ dependsOn }) =>
      dependsOn.filter(({ condition }) => condition === completed).map(({ service }) => service),
    ),
  );
  return services
    .filter(({ name, isOneShot }) => isOneShot && !awaited.has(name))
    .map(({ name, place }) => ({
      mark: 'bad',
      place,
      subject: name,
      fact: 'runs once, and nobody waits for it to end',
      because: '`compose up --wait` fails when it ends, even with status 0, and its failure stops nothing',
      fix: `to what needs it: depends_on: { ${name}: { condition: ${completed} } }`,
    }));
};

/** Services that wait for a one-shot to begin, or to be healthy, rather than to end. */
export const startedOneShot: Rule = ({ services }) => {
  const oneShots = new Set(services.filter(({ isOneShot }) => isOneShot).map(({ name }) => name));
  return services.flatMap(({ name, dependsOn }) =>
    dependsOn
      .filter(({ service, condition }) => oneShots.has(service) && condition !== completed)
      .filter(({ service }) => service !== `${name}-migrations`)
      .map(({ service, condition, place }) => ({
        mark: 'bad' as const,
        place,
        subject: name,
        fact: `waits for ${service} with ${condition}, but ${service} runs once`,
        because: 'it starts while the one-shot is still at work, or after it failed',
        fix: `depends_on: { ${service}: { condition: ${completed} } }`,
      })),
  );
};

/** Apps that do not wait for their own init container, `<app>-migrations`. */
export const ungatedApp: Rule = ({ services }) => {
  const names = new Set(services.map(({ name }) => name));
  const waitsFor = (app: ServiceView, initContainer: string) =>
    app.dependsOn.some(({ service, condition }) => service === initContainer && condition === completed);
  return services
    .map((app) => ({ app, initContainer: `${app.name}-migrations` }))
    .filter(({ app, initContainer }) => names.has(initContainer) && !waitsFor(app, initContainer))
    .map(({ app, initContainer }) => ({
      mark: 'bad',
      place: app.dependsOn.find(({ service }) => service === initContainer)?.place ?? app.place,
      subject: app.name,
      fact: `does not wait for ${initContainer} to succeed`,
      because: 'it starts on a schema that is not there yet, or after its migrations failed',
      fix: `depends_on: { ${initContainer}: { condition: ${completed} } }`,
    }));
};
