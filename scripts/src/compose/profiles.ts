import type { Lookup } from './interpolate.ts';

/**
 * Says whether a service with these profiles takes part: it has none, or one of them is active. Active are those that
 * `COMPOSE_PROFILES` names, with commas between; `*` stands for all (Compose Specification, "Profiles").
 */
export function profileRule(lookup: Lookup): (profiles: readonly string[]) => boolean {
  const active = new Set((lookup('COMPOSE_PROFILES') ?? '').split(',').map((name) => name.trim()));
  return (profiles) => profiles.length === 0 || active.has('*') || profiles.some((name) => active.has(name));
}
