import { mapAt, placeAt, textAt } from '../compose-view.ts';
import type { Rule } from '../rule.ts';

/** One-shots that are started again when they end. */
export const restartedOneShot: Rule = ({ services }) =>
  services.flatMap(({ name, map, isOneShot }) => {
    const policy = textAt(map, 'restart') ?? '';
    if (!isOneShot || !/^(always|unless-stopped|on-failure)$/.test(policy)) return [];
    const isEndless = policy !== 'on-failure';
    return {
      mark: isEndless ? 'bad' : 'note',
      place: placeAt(map, 'restart'),
      subject: name,
      fact: `runs once, but has restart: ${policy}`,
      because: isEndless
        ? 'it starts over each time it ends, so what waits for it never starts'
        : 'when it fails it starts over without end, and `up` waits instead of saying why',
      fix: 'restart: "no"',
    };
  });

/** Servers that stay down once they are down. */
export const unrestartedServer: Rule = ({ services }) => {
  const names = new Set(services.map(({ name }) => name));
  return services
    .filter(({ isOneShot }) => !isOneShot)
    .filter(({ name, healthcheck, ports }) => {
      const isApp = names.has(`${name}-migrations`);
      return isApp || healthcheck !== undefined || ports.length > 0;
    })
    .filter(({ map }) => !/^(always|unless-stopped|on-failure)/.test(textAt(map, 'restart') ?? ''))
    .filter(({ map }) => mapAt(mapAt(map, 'deploy') ?? map, 'restart_policy') === undefined)
    .map(({ name, map, place }) => ({
      mark: 'note',
      place: map.keys.get('restart') ?? place,
      subject: name,
      fact: 'is a server without a restart policy',
      because: 'after a crash, or once the engine itself was restarted, it stays down',
      fix: 'restart: unless-stopped',
    }));
};
