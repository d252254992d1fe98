import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { SettingsReader } from '@lockstep/foundation';

/** The variables whose value a file may hold, named by the variable with `_FILE` at its end, as Docker's images do. */
export const secretVariables = [
  'DATABASE_CONNECTION_STRING',
  'DB_ADMIN_CONN_STRING',
  'DB_ADMIN_PASSWORD',
  'MIGRATION_SCRATCH_URL',
  'MIGRATION_AUDIT_URL',
] as const;

/** A secret, and how to name its place in a mistake. */
export interface SecretSetting {
  /** Undefined when it is absent, or could not be read and that was noted. */
  readonly text: string | undefined;
  readonly name: string;
  /** What a rule about the text begins with: the file's path. */
  readonly prefix: string;
}

const largestFile = 64 * 1024;

/** Notes each variable that is set both itself and as `_FILE`: neither is meant to win. */
export function refuseBoth(reader: SettingsReader): void {
  for (const name of secretVariables) {
    if (reader.text(name) === undefined || reader.text(`${name}_FILE`) === undefined) continue;
    reader.mistake(name, `cannot stand beside ${name}_FILE; set one of them`);
  }
}

/**
 * Reads the setting `name`, else the file that `<name>_FILE` names, without one line end at its end.
 *
 * Notes a mistake for a file that is absent, closed to this user, empty, over 64 KiB, no regular file, no UTF-8 or holds
 * a NUL character. The file's text is never part of it.
 */
export function readSecretSetting(reader: SettingsReader, name: string): SecretSetting {
  const text = reader.text(name);
  const path = reader.text(`${name}_FILE`);
  if (text !== undefined || path === undefined) return { text, name, prefix: '' };
  const fileName = `${name}_FILE`;
  const shown = looksLikePath(path) ? JSON.stringify(path) : 'the file (name not shown)';
  const read = readText(path);
  if ('text' in read) return { text: read.text, name: fileName, prefix: `${shown}: ` };
  // A secret put where its file's name belongs must not be printed.
  const meant = looksLikePath(path) ? '' : `; for the value itself there is ${name}`;
  reader.mistake(fileName, `${shown} ${read.rule}${meant}`);
  return { text: undefined, name: fileName, prefix: '' };
}

function looksLikePath(path: string): boolean {
  return path.includes('/') && !/:\/\/|=/.test(path);
}

function readText(path: string): { readonly text: string } | { readonly rule: string } {
  try {
    // Without O_NONBLOCK, to open a named pipe would wait for a writer.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return { rule: 'is not a regular file' };
      if (stat.size > largestFile) return { rule: `has ${stat.size} bytes; ${largestFile} is the limit` };
      return textOf(readFileSync(file));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { rule: reasons[code] ?? `cannot be read (${code})` };
  }
}

function textOf(bytes: Buffer): { readonly text: string } | { readonly rule: string } {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return { rule: 'is not UTF-8' };
  }
  if (text.includes('\0')) return { rule: 'holds a NUL character' };
  return text === '' ? { rule: 'is empty' } : { text };
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'cannot be read by this user',
  EISDIR: 'is not a regular file',
  ELOOP: 'is a symbolic link that leads in a circle',
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  ENXIO: 'is not a regular file',
};
