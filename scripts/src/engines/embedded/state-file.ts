import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { folderMark } from '../../checkout/folder.ts';
import { type PidStamp, toStamp } from '../../pid.ts';

/** A process that a supervisor started, as written down the moment it started. */
export interface RecordedChild {
  readonly service: string;
  readonly stamp: PidStamp;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMilliseconds: number;
}

/** What a supervisor leaves on disk, so that whoever comes after it can find what it left running. */
export interface RecordedState {
  readonly supervisor: PidStamp;
  readonly running: readonly RecordedChild[];
}

export function writeState(path: string, state: RecordedState): void {
  const beside = `${path}.new`;
  const folder = folderMark(dirname(path));
  writeFileSync(beside, JSON.stringify({ ...state, folder }), { mode: 0o600 });
  renameSync(beside, path);
}

/**
 * Reads the state; undefined when there is none or it is not one. A file cannot make anything up: pids are checked. One that
 * came along when the folder was copied speaks of the other folder's processes, which are not ours to end.
 */
export function readState(path: string): RecordedState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('supervisor' in value) || !('running' in value))
    return undefined;
  if ('folder' in value && value.folder !== folderMark(dirname(path))) return undefined;
  const supervisor = toStamp(value.supervisor);
  if (supervisor === undefined || !Array.isArray(value.running)) return undefined;
  return { supervisor, running: value.running.flatMap(toRecorded) };
}

function toRecorded(value: unknown): RecordedChild[] {
  if (typeof value !== 'object' || value === null) return [];
  const { service, stamp, stopSignal, stopGraceMilliseconds: grace } = value as Record<string, unknown>;
  const known = toStamp(stamp);
  if (typeof service !== 'string' || known === undefined || typeof stopSignal !== 'string') return [];
  const stopGraceMilliseconds = typeof grace === 'number' ? grace : 10_000;
  return [{ service, stamp: known, stopSignal: stopSignal as NodeJS.Signals, stopGraceMilliseconds }];
}
