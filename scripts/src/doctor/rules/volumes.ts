import { mapAt, textAt } from '../compose-view.ts';
import { mountsOf } from '../mounts.ts';
import type { Rule } from '../rule.ts';

/** Volumes that are used and not declared. */
export const undeclaredVolume: Rule = ({ services, volumes }) =>
  services.flatMap(({ name, map }) =>
    mountsOf(map)
      .filter(({ kind, source }) => kind === 'volume' && !volumes.has(source))
      .map(({ source, place }) => ({
        mark: 'bad' as const,
        place,
        subject: name,
        fact: `mounts the volume ${source}, which is not declared`,
        because: 'compose refuses the file',
        fix: `at the end of the file: volumes: { ${source}: {} }`,
      })),
  );

/** Names that two projects on one machine would share. */
export const fixedName: Rule = ({ services, file }) => {
  const containers = services.flatMap(({ name, map }) => {
    const value = map.entries.get('container_name');
    if (value?.kind !== 'scalar' || value.raw.includes('$')) return [];
    return {
      mark: 'note' as const,
      place: map.keys.get('container_name') ?? value.place,
      subject: name,
      fact: 'has a container_name of its own',
      because: 'a second clone of the project cannot start beside the first',
      fix: 'leave it out: compose names it after project and service',
    };
  });
  const shared = (['volumes', 'networks'] as const).flatMap((kind) =>
    [...(mapAt(file, kind)?.entries ?? [])].flatMap(([subject, value]) => {
      const name = value.kind === 'map' ? value.entries.get('name') : undefined;
      if (value.kind !== 'map' || name?.kind !== 'scalar' || name.raw.includes('$')) return [];
      if (textAt(value, 'external') === 'true') return [];
      return {
        mark: kind === 'volumes' ? ('bad' as const) : ('note' as const),
        place: value.keys.get('name') ?? name.place,
        subject,
        fact: `the ${kind === 'volumes' ? 'volume' : 'network'} has a name of its own`,
        because: `every clone of the project shares it${kind === 'volumes' ? ', and one deletes the data of all' : ''}`,
        fix: 'leave the name out: compose names it after the project',
      };
    }),
  );
  return [...containers, ...shared];
};
