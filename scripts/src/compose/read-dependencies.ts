import type { Place } from './mistakes.ts';
import { type Condition, conditions, type Dependency } from './stack.ts';
import type { Mapping } from './tree.ts';
import type { ValueReader } from './values.ts';

/** What a service waits for: what `depends_on` names, and whatever else it cannot start without. */
export function readDependencies(name: string, map: Mapping, read: ValueReader): Dependency[] {
  const named = dependsOn(map, read);
  const implied = new Map(impliedBy(name, map, read).map((one) => [one.service, one]));
  for (const { service } of named) implied.delete(service);
  return [...named, ...implied.values()];
}

function dependsOn(map: Mapping, read: ValueReader): Dependency[] {
  const dependsOn = read.map(map, 'depends_on');
  return [...(dependsOn?.entries ?? [])].flatMap(([service, value]) => {
    const place = dependsOn?.keys.get(service) ?? value.place;
    const given = value.kind === 'map' ? read.text(value, 'condition') : undefined;
    if (value.kind !== 'map' || given === undefined) {
      read.mistakes.add(place, `depends_on: ${service}: expected a map with a condition`);
      return [];
    }
    read.unknownKeys(value, ['condition', 'required', 'restart'], `depends_on: ${service}`);
    const condition = conditions.find((one) => one === given);
    if (condition !== undefined) return [{ service, condition, required: isRequired(value, read), place }];
    const allowed = conditions.join(', ');
    read.mistakes.add(
      value.entries.get('condition')?.place ?? place,
      `depends_on: ${service}: expected ${allowed}, got "${given}"`,
    );
    return [];
  });
}

function isRequired(value: Mapping, read: ValueReader): boolean {
  for (const key of ['required', 'restart']) {
    const flag = read.scalar(value, key);
    if (flag !== undefined && flag.type !== 'bool')
      read.mistakes.add(flag.place, `${key}: expected true or false, got "${flag.text}"`);
  }
  return read.scalar(value, 'required')?.value !== false;
}

/** Compose starts a service after those whose namespaces or volumes it shares, and after those it links to. */
function impliedBy(name: string, map: Mapping, read: ValueReader): Dependency[] {
  const after = (service: string, place: Place): Dependency => ({
    service,
    condition: 'service_started' satisfies Condition,
    required: true,
    place,
  });
  const shared = ['network_mode', 'ipc', 'pid', 'uts', 'cgroup'].flatMap((key) => {
    const value = read.scalar(map, key);
    const [, service] = /^service:(.*)$/.exec(value?.text ?? '') ?? [];
    return value === undefined || service === undefined ? [] : [after(service, value.place)];
  });
  const linked = (read.list(map, 'links')?.items ?? []).flatMap((item) => {
    const [service = '', alias = service] = item.kind === 'scalar' ? item.text.split(':') : [];
    if (service !== '' && alias === service) return [after(service, item.place)];
    const rule = service === '' ? 'expected the name of a service' : `the alias ${alias} is not supported`;
    read.mistakes.add(item.place, `${name}: links: ${rule}`);
    return [];
  });
  return [...shared, ...linked];
}
