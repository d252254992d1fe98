import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { markSecret } from '@lockstep/foundation';
import { EnvFileError, PreflightError, systemCode, systemReason } from './errors.ts';

/** `postgres_password` is set by `POSTGRES_PASSWORD`. */
export function settingOfSecret(name: string): string {
  return name.toUpperCase().replaceAll(/[.-]/g, '_');
}

/** The secrets the stack writes itself: those whose file is in its own folder. */
export function ownSecrets(secrets: ReadonlyMap<string, string>, stateFolder: string): Map<string, string> {
  const folder = join(stateFolder, 'secrets') + sep;
  return new Map([...secrets].filter(([, file]) => file.startsWith(folder)));
}

/** What a secret's file holds, when it is one line that `.env` can hold; undefined when there is none. */
export function secretInUse(file: string | undefined): string | undefined {
  try {
    const value = file === undefined ? undefined : readOrUndefined(file);
    return value === undefined || value === '' || /['\r\n\0]/.test(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/**
 * Writes each secret's file, only when its content differs; others that are in the folder stay. The folder is 0700 and
 * the files 0444: a container's user reads one through its mount, and nobody else comes near it.
 *
 * @param values the value of a setting, from the environment or `.env`
 */
export function writeSecrets(
  secrets: ReadonlyMap<string, string>,
  values: (setting: string) => string | undefined,
): void {
  const wrong: string[] = [];
  for (const [name, file] of secrets) {
    const setting = settingOfSecret(name);
    const value = values(setting) ?? '';
    if (value === '') wrong.push(`${setting}: expected a value`);
    else if (/[\r\n\0]/.test(value)) wrong.push(`${setting}: expected one line of text`);
    else if (/[^\x21-\x7e]/.test(value))
      wrong.push(`${setting}: expected printable ASCII characters without blanks`);
    else writeSecret(file, value);
  }
  if (wrong.length > 0) throw new EnvFileError('secrets cannot be used as they are', wrong);
}

function writeSecret(file: string, value: string): void {
  markSecret(value);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (readOrUndefined(file) === value) return;
    const beside = `${file}.${process.pid}.new`;
    rmSync(beside, { force: true });
    writeFileSync(beside, value, { mode: 0o444, flag: 'wx' });
    // Past the umask, which must not take the container's right to read.
    chmodSync(beside, 0o444);
    renameSync(beside, file);
  } catch (error) {
    throw new PreflightError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
}

function readOrUndefined(file: string): string | undefined {
  try {
    return statSync(file).size > 65_536 ? undefined : readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
