import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { count } from '@lockstep/foundation';
import { shellWord } from '../../build/machine.mjs';
import { closedBelow } from '../checkout/modes.ts';
import type { Service } from '../compose/stack.ts';
import { environment } from '../environment.ts';
import { systemCode } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';

/** The user `node` of our images, and of the official one. */
const containerUser = 1000;

/**
 * A warning, when something that services mount from the checkout cannot be read by their user, as in one that was cloned
 * under umask 077: a container without capabilities sees files as every other user does. Undefined when there is nothing to say,
 * or the files are shared with another machine, where other rules hold.
 */
export function closedMountsLine({ stack, project }: OpenedStack): string | undefined {
  if (process.platform !== 'linux' || /^(tcp|ssh):/.test(environment['DOCKER_HOST'] ?? '')) return undefined;
  const own = [...stack.services.values()].flatMap((service) => sourcesOf(service, stack));
  // What lies outside is not cloned with it.
  const sources = [...new Set(own)].filter((path) => path.startsWith(project.root + sep) && isThere(path));
  const found = sources.map((source) => ({ source, closed: closedBelow(source, containerUser) }));
  const bad = found.filter(({ closed }) => closed.length > 0);
  const [first] = bad.flatMap(({ closed }) => closed);
  if (first === undefined) return undefined;
  const all = bad.reduce((sum, { closed }) => sum + closed.length, 0);
  const mode = (statSync(first).mode & 0o777).toString(8).padStart(4, '0');
  const more = all > 1 ? ` and ${count(all - 1, 'other')}` : '';
  const folders = bad.map(({ source }) => shellWord(relative(project.root, source))).join(' ');
  const what = `${relative(project.root, first)} (mode ${mode})${more}`;
  return `warning: closed to the containers that mount it: ${what}\n  try: chmod -R a+rX ${folders}`;
}

function sourcesOf({ mounts, configs, secrets }: Service, stack: OpenedStack['stack']): string[] {
  return [
    ...mounts.filter(({ kind }) => kind === 'bind').map(({ source }) => source),
    ...configs.flatMap(({ name }) => stack.configs.get(name) ?? []),
    ...secrets.flatMap(({ name }) => stack.secrets.get(name) ?? []),
  ];
}

function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
