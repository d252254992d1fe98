import { SafeguardUnavailableError } from './errors.ts';
import type { Strategy } from './strategy.ts';

/** @throws {SafeguardUnavailableError} when the strategy wants what does not exist yet */
export function requireSafeguards({ name, backup, validation, approval }: Strategy): void {
  const wanted = [
    ...(backup === 'none' ? [] : [`backup ${backup}`]),
    ...(validation === 'minimal' ? [] : [`validation ${validation}`]),
    ...(approval === 'none' ? [] : [`approval ${approval}`]),
  ];
  if (wanted.length > 0) throw new SafeguardUnavailableError(name, wanted);
}
