import type { Place } from '../../compose/mistakes.ts';
import type { Tree } from '../../compose/tree.ts';
import { listAt, mapAt, placeAt, type ServiceView, scalarAt, textAt } from '../compose-view.ts';
import type { Rule } from '../rule.ts';

/** Ports that others on the network reach. */
export const openPort: Rule = ({ services }) =>
  services.flatMap(({ name, ports }) =>
    ports
      .flatMap(publishedPort)
      .filter(({ host }) => !/^(127\.\d+\.\d+\.\d+|localhost|::1)$/.test(host))
      .map(({ host, text, place }) => ({
        mark: 'bad' as const,
        place,
        subject: name,
        fact: `publishes ${text} ${host === '' ? 'without an address, so on all of them' : `on ${host}`}`,
        because: 'everybody on the network reaches it; Docker goes past the firewall of many machines',
        fix: `127.0.0.1:${text.split(':').slice(-2).join(':')}`,
      })),
  );

/** Published ports that nothing can move. */
export const fixedPort: Rule = ({ services }) =>
  services.flatMap(({ name, ports }) =>
    ports
      .flatMap(publishedPort)
      .filter(({ published, isVariable }) => published !== '' && !isVariable)
      .map(({ published, place }) => ({
        mark: 'note' as const,
        place,
        subject: name,
        fact: `publishes the port ${published}, and no setting can change that`,
        because: 'a second clone of the project, or whatever else has that port, keeps it from starting',
        fix: `\${${settingFor(name)}:-${published}} instead of ${published}`,
      })),
  );

/** Ports of services on internal networks only, where nothing is published. */
export const hiddenPort: Rule = ({ services, file }) =>
  services.flatMap((service) => {
    const networks = networksOf(service);
    const declared = mapAt(file, 'networks');
    const isInternal = (network: string) => {
      const map = declared && mapAt(declared, network);
      return map !== undefined && textAt(map, 'internal') === 'true';
    };
    if (service.ports.length === 0 || networks.length === 0 || !networks.every(isInternal)) return [];
    return {
      mark: 'bad',
      place: placeAt(service.map, 'ports'),
      subject: service.name,
      fact: `publishes ports, but is on internal networks only (${networks.join(', ')})`,
      because: 'an internal network publishes nothing: this machine does not reach it',
      fix: 'a second network that is not internal, for the services that are published',
    };
  });

interface Published {
  /** Empty when the file names none. */
  readonly host: string;
  /** Empty when the engine chooses. */
  readonly published: string;
  readonly isVariable: boolean;
  /** As the file says, in the short form. */
  readonly text: string;
  readonly place: Place;
}

function publishedPort(item: Tree): Published[] {
  if (item.kind === 'map') {
    const host = (textAt(item, 'host_ip') ?? '').replace(/^\[|\]$/g, '');
    const published = textAt(item, 'published') ?? '';
    const isVariable = scalarAt(item, 'published')?.raw.includes('$') ?? false;
    const text = `${published}:${textAt(item, 'target') ?? ''}`;
    return [{ host, published, isVariable, text, place: item.place }];
  }
  if (item.kind !== 'scalar' || item.value === null) return [];
  const text = item.text;
  const match = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([^:]*):)?([^:]+)$/.exec(text);
  if (match === null) return [];
  const [, host = '', published = ''] = match;
  const isVariable = item.raw.replace(/:[^:}]*$/, '').includes('$');
  return [{ host: host.replace(/^\[|\]$/g, ''), published, isVariable, text, place: item.place }];
}

/** Empty when the service shares the network of something else. */
function networksOf({ map }: ServiceView): string[] {
  if (map.entries.has('network_mode')) return [];
  const list = listAt(map, 'networks');
  if (list !== undefined) {
    return list.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []));
  }
  return [...(mapAt(map, 'networks')?.entries.keys() ?? ['default'])];
}

function settingFor(service: string): string {
  return `${service.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_PORT`;
}
