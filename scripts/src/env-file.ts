import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { count } from '@lockstep/foundation';
import { parse } from 'dotenv';
import { EnvFileError, PreflightError, systemCode, systemReason } from './errors.ts';

/** The values of `.env`; empty when there is no file. */
export type EnvValues = Readonly<Record<string, string>>;

/** Far above any real `.env`. */
const mostBytes = 64 * 1024;

/**
 * Reads `.env`.
 *
 * @throws {EnvFileError} when it cannot be read, is not text, or has lines that are not `NAME=value`
 */
export function readEnvFile(path: string): EnvValues {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > mostBytes)
      throw new EnvFileError(`${path} has ${size} bytes; at most ${mostBytes} are read`, []);
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    if (error instanceof EnvFileError) throw error;
    throw new EnvFileError(`${path} cannot be read: ${systemReason(error)}`, [], undefined, error);
  }
  if (text.includes('\0')) throw new EnvFileError(`${path} has a NUL byte; it must be text`, []);
  const wrong = wrongLines(text);
  if (wrong.length > 0) {
    const shown = wrong.slice(0, 10).map((line) => `${basename(path)}:${line}  expected NAME=value`);
    throw new EnvFileError(`${count(wrong.length, 'line')} of ${path} cannot be read`, shown);
  }
  return parse(text);
}

/** The numbers of the lines that are neither blank, a comment, an assignment, nor inside a quoted value that ends. */
export function wrongLines(text: string): number[] {
  const wrong: number[] = [];
  let quote: string | undefined;
  let opened = 0;
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (quote !== undefined) {
      if (line.includes(quote)) quote = undefined;
      continue;
    }
    if (/^\s*(#|$)/.test(line)) continue;
    const value = /^\s*(?:export\s+)?[A-Za-z_][\w.-]*\s*=\s*(.*)$/.exec(line)?.[1];
    if (value === undefined) wrong.push(index + 1);
    const opening = /^(['"`])/.exec(value ?? '')?.[1];
    if (opening !== undefined && !value?.slice(1).includes(opening)) {
      quote = opening;
      opened = index + 1;
    }
  }
  return quote === undefined ? wrong : [...wrong, opened];
}

/** A secret the stack generates: 32 bytes of the system's random source, in letters, digits, - and _. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What a new `.env` holds. */
export interface EnvTemplate {
  readonly projectName: string;
  /** Names of the settings that hold secrets; each gets the value in use, else a generated one. */
  readonly secrets: readonly string[];
  /** The value a secret had at the last start: with another one, a volume that is there would be closed for good. */
  readonly inUse: (name: string) => string | undefined;
  /** Setting and default of each published port; written as comments. */
  readonly ports: ReadonlyMap<string, number>;
  /** Of those, the ports that get another number because the default is taken; written as settings. */
  readonly movedPorts: ReadonlyMap<string, number>;
  /** Names of the profiles; written as a comment. */
  readonly profiles: readonly string[];
}

/**
 * The project's name for compose: its folder's in lowercase letters, digits, `-` and `_`, and six digits of its path's
 * hash, so that two clones in folders of one name share no container, volume or network.
 */
export function projectName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '');
  const place = createHash('sha256').update(root).digest('hex').slice(0, 6);
  return `${name.slice(0, 50) || 'lockstep'}-${place}`;
}

/**
 * Makes sure `.env` is there and has a value for every secret. A missing file is created (mode 0600, whole or not at
 * all); in one that is there, only lines for missing secrets are appended. Nothing that is there is changed, except that
 * a file which now holds secrets becomes readable by its owner only.
 *
 * Returns what was done, as a sentence, or undefined. Hold the project's lock: two appends at once would both count.
 *
 * @param inEnvironment says which settings the environment gives; those need no line
 */
export function ensureEnvFile(
  path: string,
  template: EnvTemplate,
  inEnvironment: (name: string) => boolean,
): string | undefined {
  const values = readEnvFile(path);
  const empty = template.secrets.filter((name) => values[name] === '' && !inEnvironment(name));
  if (empty.length > 0) {
    throw new EnvFileError(
      `${count(empty.length, 'secret')} in ${path} ${empty.length === 1 ? 'is' : 'are'} empty`,
      empty.map((name) => `${name}: expected a value`),
      'give it a value, or delete the line and it is written again',
    );
  }
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      createWhole(path, render(template));
      const kept = template.secrets.some((name) => template.inUse(name) !== undefined);
      return `wrote .env with ${kept ? 'the secrets that were in use' : 'generated secrets'}${portsSentence(template)}`;
    }
    const missing = template.secrets.filter((name) => values[name] === undefined && !inEnvironment(name));
    if (missing.length === 0) return undefined;
    const before = readFileSync(path, 'utf8');
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    chmodSync(path, 0o600);
    appendFileSync(
      path,
      `${gap}# Generated by the stack.\n${missing.map((name) => assignment(template, name)).join('')}`,
    );
    return `added ${missing.join(', ')} to .env`;
  } catch (error) {
    throw new PreflightError(`cannot write ${path}: ${systemReason(error)}`, { cause: error });
  }
}

function portsSentence({ movedPorts }: EnvTemplate): string {
  if (movedPorts.size === 0) return '';
  const moved = [...movedPorts].map(([name, port]) => `${name}=${port}`).join(' ');
  return `, and with other ports, because the usual ones are taken: ${moved}`;
}

function render(template: EnvTemplate): string {
  const { projectName, secrets, ports, movedPorts, profiles } = template;
  return [
    '# Written once by `make up`; yours to change. Never commit it. The environment wins over these values.',
    `COMPOSE_PROJECT_NAME=${projectName}`,
    '',
    '# Generated. A change of the Postgres password takes effect on a new volume only (make db-reset).',
    ...secrets.map((name) => assignment(template, name).trimEnd()),
    '',
    '# Ports on 127.0.0.1; change one that is taken.',
    ...[...ports].map(([name, port]) => {
      const moved = movedPorts.get(name);
      return moved === undefined ? `# ${name}=${port}` : `${name}=${moved}`;
    }),
    ...(profiles.length === 0
      ? []
      : ['', '# What else starts (docs/observability.md).', `# COMPOSE_PROFILES=${profiles.join(',')}`]),
    '',
  ].join('\n');
}

function assignment({ inUse }: EnvTemplate, name: string): string {
  const value = inUse(name) ?? generateSecret();
  // Between single quotes dotenv and compose read every character as it is.
  return `${name}=${/^[\w-]+$/.test(value) ? value : `'${value}'`}\n`;
}

/** Creates `path` with all of `text`, or fails with EEXIST: written beside it, then linked to its name. */
function createWhole(path: string, text: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new Error('it is a link that leads nowhere');
  const beside = `${path}.${process.pid}.new`;
  rmSync(beside, { force: true });
  const file = openSync(beside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
    linkOrRename(beside, path);
  } finally {
    closeSync(file);
    rmSync(beside, { force: true });
  }
  syncFolder(dirname(path));
}

/** Some file systems know no hard links; there the project's lock is what keeps two writers apart. */
function linkOrRename(beside: string, path: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) throw error;
    renameSync(beside, path);
  }
}

/** So that the new name survives a crash of the machine: a volume's password would be lost with it. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
