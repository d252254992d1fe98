import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { initContainers } from '../compose/stack.ts';
import { PreflightError, systemCode, systemReason, UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { checkFolder, checkFree } from './collisions.ts';
import { checkAddition } from './compose-check.ts';
import { addToCompose, addToOverride, renamer } from './compose-entries.ts';
import { addToLock, addWorkspace, serviceManifest } from './manifests.ts';
import { type NewService, portSettingOf } from './name.ts';
import { findSibling, type Sibling } from './sibling.ts';
import { serviceFiles, type TemplateFile } from './template/files.ts';

/** A file that is written or changed; `before` is undefined for a new one. */
export interface Change {
  /** Relative to the project. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
}

/** All that is missing of a service in a project; what is there is in neither list. */
export interface Addition {
  /** The service it takes its shape from. */
  readonly sibling: string;
  readonly chassisVersion: string;
  /** The port that it gets by default; undefined when it has one already, or there is no override to say so. */
  readonly port: number | undefined;
  /** The files of its folder; none when it is there already. */
  readonly folder: readonly TemplateFile[];
  /** In the order in which they are to be written: a stack between two of them still starts. */
  readonly changes: readonly Change[];
}

/**
 * Finds out what has to be written for a service to be part of the stack. Reads only.
 *
 * @throws {UsageError} when the name collides with what is there, or a file is not in a shape that can be added to
 */
export function planAddition(opened: OpenedStack, service: NewService): Addition {
  const { root } = opened.project;
  const sibling = findSibling(opened);
  const folderIsThere = checkFolder(root, service.name);
  checkFree(opened, service, { sibling, folderIsThere });
  const chassisVersion = versionOfChassis(root);
  const manifest = serviceManifest(service.name, chassisVersion);
  const { port, changes: compose } = composeChanges(opened, service, sibling);
  const changes: (Change | undefined)[] = [
    ...policyChanges(root, service.name, sibling.name),
    change(root, 'package.json', (text) => addWorkspace(text, service.name)),
    existsSync(join(root, 'package-lock.json'))
      ? change(root, 'package-lock.json', (text) => addToLock(text, { manifest, file: 'package-lock.json' }))
      : undefined,
    ...compose,
  ];
  return {
    sibling: sibling.name,
    chassisVersion,
    port,
    folder: folderIsThere ? [] : serviceFiles(service, chassisVersion),
    changes: changes.filter((one) => one !== undefined).filter(({ before, after }) => before !== after),
  };
}

function versionOfChassis(root: string): string {
  const path = join('chassis', 'package.json');
  const { version } = JSON.parse(read(root, path)) as { version?: unknown };
  return typeof version === 'string' ? version : '0.1.0';
}

function policyChanges(root: string, name: string, sibling: string): (Change | undefined)[] {
  const rename = renamer(sibling, name);
  return ['migrator', 'app'].map((role) => {
    const path = `vault/policies/${name}-${role}.hcl`;
    if (existsSync(join(root, path))) return undefined;
    return { path, before: undefined, after: rename(read(root, `vault/policies/${sibling}-${role}.hcl`)) };
  });
}

function composeChanges(
  opened: OpenedStack,
  service: NewService,
  sibling: Sibling,
): { port: number | undefined; changes: Change[] } {
  const { root, composeFiles } = opened.project;
  const { bootstrap } = sibling;
  const [file = 'compose.yaml', overrideFile] = composeFiles.map((path) => relative(root, path));
  const base = change(root, file, (text) => addToCompose(text, service, sibling));
  checkAddition(file, base, { names: [service.name, `${service.name}-migrations`], bootstrap });
  if (overrideFile === undefined) return { port: undefined, changes: [base] };
  const port = nextPort(opened, base.before);
  const siblingSetting = portSettingOf(sibling.name);
  const services = initContainers(opened.stack).map((one) => one.service);
  const override = change(root, overrideFile, (text) =>
    addToOverride(text, service, { sibling: sibling.name, siblingSetting, port, services }),
  );
  if (override.before === override.after) return { port: undefined, changes: [base] };
  checkAddition(overrideFile, override, { names: [service.name], bootstrap });
  return { port, changes: [base, override] };
}

/** The lowest port above those of the services that neither the stack nor a default in its files uses. */
function nextPort({ stack, project, setting }: OpenedStack, base: string): number {
  const files = [base, ...project.composeFiles.slice(1).map((path) => readFileSync(path, 'utf8'))];
  const defaults = files.flatMap((text) =>
    [...text.matchAll(/:-(\d{1,5})\}/g)].map(([, port]) => Number(port)),
  );
  const published = [...stack.services.values()].flatMap(({ ports }) => ports.map((port) => port.published));
  const settings = ['POSTGRES_PORT', 'VAULT_PORT'].map((name) => Number(setting(name)));
  const used = new Set([...defaults, ...published, ...settings]);
  let port = 18_081;
  while (used.has(port)) port += 1;
  return port;
}

/** A change of a file that is there. */
interface Edit extends Change {
  readonly before: string;
}

function change(root: string, path: string, edit: (text: string) => string): Edit {
  const before = read(root, path);
  return { path, before, after: edit(before) };
}

function read(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    const reason = systemReason(error);
    if (systemCode(error) === 'ENOENT')
      throw new UsageError(`${path} is not there, and a new service needs it`);
    throw new PreflightError(`cannot read ${path}: ${reason}`, { cause: error });
  }
}
