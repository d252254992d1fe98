import { UsageError } from '../errors.ts';
import { highestVersion } from '../file-name.ts';
import type { Target } from '../plan.ts';

/** Reads a number of steps, 1 or more. */
export function stepsOf(text: string, command: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(
    `expected a number of steps from 1, got ${JSON.stringify(text.slice(0, 120))}`,
    `migrate ${command} --help`,
  );
}

/** Reads a number of steps, or `all` of them. */
export function stepsOrAll(text: string, command: string): number {
  return text === 'all' ? Number.MAX_SAFE_INTEGER : stepsOf(text, command);
}

/** Reads where to go: a version, or `none` for before the first. */
export function targetOf(text: string, command: string): Target {
  if (text === 'none') return { kind: 'down', steps: Number.MAX_SAFE_INTEGER };
  return { kind: 'goto', version: versionOf(text, 'version', command) };
}

/** Reads a version, 0 or more, of any padding. `where` is what to name when it is wrong: `--at-least`. */
export function versionOf(text: string, where: string, command: string): bigint {
  const version = /^\d{1,64}$/.test(text) ? BigInt(text) : -1n;
  if (version >= 0n && version <= highestVersion) return version;
  throw new UsageError(
    `${where}: expected a version from 0 to ${highestVersion}, got ${JSON.stringify(text.slice(0, 120))}`,
    `migrate ${command} --help`,
  );
}

/** The value of an option that takes one. */
export function textOf(option: string | true | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}
