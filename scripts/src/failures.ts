import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '@lockstep/foundation';
import { type EngineName, isUp, type Outcome } from './engine.ts';
import { PreflightError, systemCode, systemReason } from './errors.ts';
import type { Project } from './project.ts';

/**
 * How a service failed, kept outside Postgres and outside its container: both may be gone when somebody asks. One file for
 * each service in `.lockstep/failures`; the newest failure wins.
 */
export interface FailureRecord {
  readonly service: string;
  readonly engine: EngineName;
  /** When it was seen, as an ISO 8601 instant. */
  readonly at: string;
  readonly state: string;
  readonly exitStatus: number | undefined;
  /** The last lines of its own output, secrets masked. */
  readonly output: readonly string[];
  /** The services that stayed down because of it. */
  readonly blocked: readonly string[];
  /** When it was first seen to work again; undefined while it does not. */
  readonly mendedAt: string | undefined;
}

/** Keeps the failures of an `up`, and marks as mended what failed before and works now. */
export function keepFailures(project: Project, engine: EngineName, outcomes: readonly Outcome[]): void {
  const at = new Date().toISOString();
  for (const outcome of outcomes) {
    const { service, ok, blockedBy = [], state, exitStatus, output = [] } = outcome;
    if (blockedBy.length > 0) continue;
    if (ok) {
      const earlier = readFailure(project, service);
      if (earlier !== undefined && earlier.mendedAt === undefined)
        write(project, { ...earlier, mendedAt: at });
      continue;
    }
    const blocked = outcomes
      .filter((one) => !one.ok && !isUp(one.state) && one.blockedBy?.includes(service))
      .map((one) => one.service);
    const masked = output.map((line) => redact(line));
    write(project, { service, engine, at, state, exitStatus, output: masked, blocked, mendedAt: undefined });
  }
}

/** The last failure of a service; undefined when none is kept. */
export function readFailure(project: Project, service: string): FailureRecord | undefined {
  try {
    return parse(readFileSync(fileOf(project, service), 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new PreflightError(`cannot read ${fileOf(project, service)}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

/** Every failure that is kept, the newest first. */
export function readFailures(project: Project): FailureRecord[] {
  let files: string[];
  try {
    files = readdirSync(folderOf(project));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readFailure(project, file.slice(0, -'.json'.length)) ?? [])
    .toSorted((a, b) => b.at.localeCompare(a.at));
}

function folderOf(project: Project): string {
  return join(project.stateFolder, 'failures');
}

function fileOf(project: Project, service: string): string {
  return join(folderOf(project), `${service}.json`);
}

function write(project: Project, record: FailureRecord): void {
  const file = fileOf(project, record.service);
  const beside = `${file}.${process.pid}.new`;
  try {
    mkdirSync(folderOf(project), { recursive: true, mode: 0o700 });
    writeFileSync(beside, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new PreflightError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
}

/** A file that is not one of ours, or was cut short, counts as none. */
function parse(text: string): FailureRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { service, engine, at, state, exitStatus, output, blocked, mendedAt } = value as Record<
    string,
    unknown
  >;
  if (typeof service !== 'string' || typeof at !== 'string' || typeof state !== 'string') return undefined;
  return {
    service,
    engine: engine === 'docker' || engine === 'podman' ? engine : 'embedded',
    at,
    state,
    exitStatus: typeof exitStatus === 'number' ? exitStatus : undefined,
    output: strings(output),
    blocked: strings(blocked),
    mendedAt: typeof mendedAt === 'string' ? mendedAt : undefined,
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
