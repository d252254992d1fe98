import type { CommandSettings } from './config.ts';
import type { Hooks } from './operation.ts';
import type { AuditedOperation } from './records/audit-event.ts';
import type { Report, ReportNames } from './report.ts';

/** What one command does once its settings are read. */
export type Work = (settings: CommandSettings, hooks: Hooks, names: ReportNames) => Promise<Report>;

/** Values of a command's own options by the name commander gives them: `atLeast` for `--at-least`. */
export type Options = Readonly<Record<string, string | true | undefined>>;

/** One command of the command line. Loads what it needs when its work begins, so that `--help` needs no Postgres client. */
export interface Command {
  /** The name and its argument: `up [steps]`. */
  readonly usage: string;
  readonly words: string;
  /** Options of this command alone, as commander reads them, each with its help. */
  readonly options?: readonly (readonly [flags: string, words: string])[];
  /** Printed after the options. */
  readonly help?: string;
  /** Command lines without the program's name, two at least. */
  readonly examples: readonly [string, string, ...string[]];
  /** As what it is audited, and told to pipelines; undefined for what only looks. */
  readonly audited?: AuditedOperation;
  /** Whether it is told to pipelines although it only looks. */
  readonly recorded?: true;
  /** Whether it works without a database, so that none need be named. */
  offline?(options: Options): boolean;
  /** @throws {UsageError} when the argument or an option is wrong */
  prepare(argument: string | undefined, options: Options): Work;
}

/** `up` of `up [steps]`. */
export function nameOf({ usage }: Command): string {
  return usage.split(' ')[0] ?? usage;
}
