import type { Failure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import type { CommandSettings } from '../config.ts';
import type { Json } from '../json.ts';
import type { Hooks } from '../operation.ts';
import { Audit } from './audit.ts';
import type { AuditEvent, AuditedOperation } from './audit-event.ts';
import { type Ending, writeMetrics, writeOutputs } from './outputs.ts';

/** Tells of one command of the command line: audit, outputs for pipelines, metrics. Never makes a run fail that did its work. */
export class Recorder {
  readonly #settings: CommandSettings;
  readonly #log: Log;
  readonly #command: string;
  readonly #audit: Audit | undefined;
  readonly #startedAt = performance.now();

  constructor(settings: CommandSettings, log: Log, command: string, audited: AuditedOperation | undefined) {
    this.#settings = settings;
    this.#log = log;
    this.#command = command;
    if (audited !== undefined) {
      const about = { operation: audited, command };
      this.#audit = new Audit(settings, log, about, (event) => this.#tell(event));
    }
  }

  /** What the work needs to say when it begins to change something. */
  get hooks(): Pick<Hooks, 'onBegin' | 'wantsTables'> {
    const audit = this.#audit;
    if (audit === undefined) return {};
    return { onBegin: (version) => audit.started(version), wantsTables: true };
  }

  /** At the end, however it was: with the report, or with the failure. */
  async ended(
    report: Readonly<Record<string, Json>> | undefined,
    failure: Failure | undefined,
  ): Promise<void> {
    if (failure === undefined) this.#audit?.succeeded(report ?? {});
    else this.#audit?.failed(failure);
    const ending: Ending = {
      command: this.#command,
      service: this.#settings.service,
      milliseconds: performance.now() - this.#startedAt,
      report,
      error: failure,
    };
    const { outputs, metrics } = this.#settings.records;
    if (outputs !== undefined) this.#warn('outputs', outputs, await writeOutputs(outputs, ending));
    if (metrics !== undefined) this.#warn('metrics', metrics, await writeMetrics(metrics, ending));
    await this.#audit?.flush();
  }

  /** The log stream of a container is a place of record; a person at a terminal has the command before their eyes. */
  #tell(event: AuditEvent): void {
    const level = this.#settings.log.format === 'json' ? 'info' : 'debug';
    this.#log[level](`audit: ${event.operation_type} ${event.outcome}`, { audit: event });
  }

  #warn(what: string, path: string, reason: string | undefined): void {
    if (reason !== undefined) this.#log.warn(`the ${what} were not written to ${path}: ${reason}`);
  }
}
