/** What is wrong with a version that works all the same, and what is done about it or can be. */
export interface Defect {
  readonly fact: string;
  readonly act: string;
}

/** A part of an engine. Some defects show only in the parts' company: Compose on Podman's socket. */
export type Part = 'docker' | 'compose' | 'podman' | 'podman-socket' | 'podman-compose';

interface Rule {
  readonly part: Part;
  /** The first version without it; none is without it when undefined. */
  readonly until?: string;
}

/** The oldest versions that can run the stack, each with the defect of those before it. */
const floors: readonly (Required<Rule> & { readonly fact: string })[] = [
  { part: 'docker', until: '20.10', fact: 'cannot run on cgroup v2' },
  { part: 'compose', until: '2', fact: 'counts an exited dependency as healthy; up --wait starts nothing' },
  // docker/compose pull request 10690
  { part: 'compose', until: '2.19', fact: 'cannot be told to be quiet (no --progress)' },
  { part: 'podman', until: '4.0', fact: 'has no names of containers on an internal network' },
  // Podman 4.1.0, release notes: issue 11822
  { part: 'podman-socket', until: '4.1', fact: 'refuses the mounts of Compose 2.2 and newer' },
  { part: 'podman-compose', until: '1.0.3', fact: 'puts the services of a stack into one pod' },
];

const known: readonly (Rule & Defect)[] = [
  {
    // containers/podman issue 18889
    part: 'podman-socket',
    until: '4.6',
    fact: 'a run that removes its container ends with status 0, whatever the program said',
    act: 'stack keeps the container until it has read its status',
  },
  {
    // Seen in 4.3.1, gone in 5.4.2.
    part: 'podman-socket',
    until: '5.0',
    fact: 'a read-only container gets a tmpfs on /run, in which a tmpfs below it loses its mode',
    act: 'use Podman 5.0 or newer, or mount the tmpfs on /run itself',
  },
  {
    // containers/podman issue 24910
    part: 'podman-socket',
    until: '5.4',
    fact: 'networks are reported by name, so every up makes all containers anew',
    act: 'use Podman 5.4 or newer, or install podman-compose',
  },
  {
    // containers/podman issue 26519, mended in December 2025
    part: 'podman-socket',
    until: '5.8',
    fact: 'the words of a health check are split at blanks',
    act: 'write test: [CMD, ...] without blanks inside a word, or as CMD-SHELL',
  },
  {
    part: 'podman-compose',
    fact: 'it does not keep the conditions between services: it starts an app whose migrations failed',
    act: 'stack starts the services one by one, and has podman-compose only make the containers',
  },
  {
    part: 'podman-compose',
    until: '1.1',
    fact: 'it rests a second after each container it makes',
    act: 'use podman-compose 1.1 or newer for a faster first start',
  },
  {
    part: 'podman-compose',
    until: '1.4',
    fact: 'it glues the words of a health check together',
    act: 'stack makes one shell line of them; the images need /bin/sh for that',
  },
];

/** Why a version is too old to run the stack; undefined when it is not. */
export function tooOld(part: Part, version: string): string | undefined {
  const floor = floors.find((one) => one.part === part && isBefore(version, one.until));
  return floor === undefined ? undefined : `${floor.fact} (${floor.until} or newer needed)`;
}

/** What is known to be wrong with a version that can run the stack. */
export function defectsOf(part: Part, version: string): Defect[] {
  return known
    .filter((one) => one.part === part && (one.until === undefined || isBefore(version, one.until)))
    .map(({ fact, act }) => ({ fact, act }));
}

/** Whether a version such as `1.0.3`, `v2.40.3-1` or `5.4.2+ds1` comes before another. */
export function isBefore(version: string, other: string): boolean {
  const [a, b] = [numbers(version), numbers(other)];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): number[] {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}
