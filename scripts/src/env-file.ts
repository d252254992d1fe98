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
import { type EnvMistake, type EnvText, parseEnvText, quoteEnvValue } from './compose/env-text.ts';
import { environment } from './environment.ts';
import { EnvFileError, PreflightError, systemCode, systemReason } from './errors.ts';
import { readText } from './read-text.ts';

/** The values of `.env`; empty when there is no file. */
export type EnvValues = Readonly<Record<string, string>>;

/** Far above any real `.env`. */
const mostBytes = 64 * 1024;

/**
 * Reads `.env` as Compose does; the environment of this process wins where a value uses a variable.
 *
 * @param known values of files that were read before, which this one may use
 * @throws {EnvFileError} when it cannot be read, is not text, or Compose would refuse it
 */
export function readEnvFile(path: string, known: EnvValues = {}): EnvValues {
  const { values, mistakes } = readEnv(path, known);
  if (mistakes.length > 0) {
    const lines = new Set(mistakes.map(({ line }) => line)).size;
    throw new EnvFileError(`${count(lines, 'line')} of ${path} cannot be read`, shown(path, mistakes));
  }
  return Object.fromEntries(values);
}

/** What is in `.env` and hardly meant, each with its place: a name without a value, a variable that is not set. */
export function envFileWarnings(path: string): readonly string[] {
  return shown(path, readEnv(path, {}).warnings);
}

function readEnv(path: string, known: EnvValues): EnvText {
  const { text, problem, cause } = readText(path, mostBytes);
  if (systemCode(cause) === 'ENOENT') return parseEnvText('', () => undefined);
  if (text === undefined) throw new EnvFileError(`${path} ${problem}`, [], undefined, cause);
  return parseEnvText(text, (name) => environment[name] ?? known[name]);
}

function shown(path: string, mistakes: readonly EnvMistake[]): string[] {
  return mistakes
    .slice(0, 10)
    .map(({ line, column, text }) => `${basename(path)}:${line}:${column}  ${text}`);
}

/** A secret the stack generates: 32 bytes of the system's random source, in letters, digits, - and _. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What a new `.env` holds. */
export interface EnvTemplate {
  /** Undefined when the compose files name the project. */
  readonly projectName: string | undefined;
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
    ...(projectName === undefined ? [] : [`COMPOSE_PROJECT_NAME=${projectName}`]),
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
  return `${name}=${quoteEnvValue(inUse(name) ?? generateSecret())}\n`;
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
