import { dirname, resolve } from 'node:path';
import { absoluteService } from './absolute.ts';
import { withEntry, withoutEntry } from './canonical.ts';
import { mergeServices, mergeTrees } from './merge.ts';
import type { Place } from './mistakes.ts';
import { documentsOf, fillDocument, isRemote, isThere, type Reading } from './reading.ts';
import type { Mapping, Tree } from './tree.ts';

/** A service, and where it is. */
interface Site {
  readonly name: string;
  readonly file: string;
  /** The services it stands among. */
  readonly services: Mapping;
}

/**
 * Follows `extends` of every service of one document: of another service there, or of one in another file, whose
 * relative paths count from that file's folder. The service is laid upon what it extends.
 */
export function extendServices(document: Mapping, file: string, reading: Reading): Mapping {
  const services = document.entries.get('services');
  if (services?.kind !== 'map') return document;
  const extended = new Map(
    [...services.entries].map(([name, one]): [string, Tree] => {
      if (one.kind !== 'map' || !one.entries.has('extends')) return [name, one];
      return [name, extend(one, { name, file, services }, [], reading)];
    }),
  );
  return withEntry(document, 'services', { ...services, entries: extended });
}

function extend(service: Mapping, site: Site, before: readonly string[], reading: Reading): Mapping {
  const named = service.entries.get('extends');
  if (named === undefined) return service;
  const rest = withoutEntry(service, 'extends');
  const place = service.keys.get('extends') ?? named.place;
  const here = `${site.name} in ${site.file}`;
  if (before.includes(here)) {
    reading.mistakes.add(place, `${site.name}: extends goes round in a circle`);
    return rest;
  }
  const base = findBase(named, place, site, reading);
  if (base === undefined) return rest;
  const isHere = base.site.file === site.file;
  const folder = isHere ? reading.folder : dirname(base.site.file);
  const whole = extend(base.service, base.site, [...before, here], { ...reading, folder });
  const found = isHere ? whole : absoluteService(whole, folder);
  return mergeServices(found, rest, site.name, reading.mistakes);
}

function findBase(
  named: Tree,
  place: Place,
  { name, file, services }: Site,
  reading: Reading,
): { service: Mapping; site: Site } | undefined {
  const wrong = (rule: string): undefined => {
    reading.mistakes.add(place, `${name}: extends: ${rule}`);
    return undefined;
  };
  const text = (key: string) => {
    const value = named.kind === 'map' ? named.entries.get(key) : undefined;
    return value?.kind === 'scalar' && value.type === 'string' ? value.text : undefined;
  };
  const [wanted, otherFile] = [text('service'), text('file')];
  if (wanted === undefined) return wrong('expected a service, or a map with service and file');
  if (otherFile !== undefined && isRemote(otherFile)) return wrong(`${otherFile}: only files here are read`);
  const path = otherFile === undefined ? file : resolve(reading.folder, otherFile);
  if (otherFile !== undefined && !isThere(path, place, `${name}: extends`, reading)) return undefined;
  const among = otherFile === undefined ? services : servicesOf(path, reading);
  const service = among?.entries.get(wanted);
  if (among === undefined || service?.kind !== 'map')
    return wrong(`no service ${wanted}${otherFile === undefined ? '' : ` in ${otherFile}`}`);
  return { service, site: { name: wanted, file: path, services: among } };
}

function servicesOf(path: string, reading: Reading): Mapping | undefined {
  const [first, ...rest] = documentsOf(path, reading).map((document) => fillDocument(document, reading));
  if (first === undefined) return undefined;
  const services = rest
    .reduce((all, one) => mergeTrees(all, one, reading.mistakes), first)
    .entries.get('services');
  return services?.kind === 'map' ? services : undefined;
}
