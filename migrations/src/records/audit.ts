import { randomUUID } from 'node:crypto';
import { count, redactJson } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import type { Settings } from '../config.ts';
import { AuditUnreachableError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { Json } from '../json.ts';
import { type AuditEvent, type AuditedOperation, type Moment, toAuditEvent } from './audit-event.ts';
import { type Delivery, sendToLoki } from './loki.ts';
import { Spool } from './spool.ts';

/** Tells each moment of one operation to the log stream and, where one is named, to the sink. */
export class Audit {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #operation: AuditedOperation;
  readonly #command: string;
  readonly #correlationId: string;
  readonly #startedAt = performance.now();
  readonly #spool: Spool;
  readonly #onEvent: (event: AuditEvent) => void;
  #started = false;
  /** The sink took nothing in this run: an app may be waiting behind it, so it is not asked again. */
  #silence: string | undefined;
  #sending: Promise<void> = Promise.resolve();

  /**
   * @param onEvent writes the line to the log stream
   */
  constructor(
    settings: Settings,
    log: Log,
    about: { readonly operation: AuditedOperation; readonly command: string },
    onEvent: (event: AuditEvent) => void,
  ) {
    this.#onEvent = onEvent;
    this.#settings = settings;
    this.#log = log;
    this.#operation = about.operation;
    this.#command = about.command;
    this.#correlationId = settings.audit.correlationId ?? randomUUID();
    this.#spool = new Spool(settings.audit.spool);
  }

  /**
   * Before anything is changed.
   *
   * @param version where it leads
   * @throws {AuditUnreachableError} where the strategy insists on a record and the sink does not take it
   */
  async started(version: string | undefined): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const event = this.#event({ outcome: 'started', version });
    this.#onEvent(event);
    const { sink } = this.#settings.audit;
    if (sink === undefined) return;
    if (!this.#settings.strategy.insists) {
      // Whoever does not insist does not wait either.
      this.#sending = this.#deliverSpool().then(() => this.#deliver(event));
      return;
    }
    const line = lineOf(event);
    const delivery = await sendToLoki(sink, event, line);
    if (delivery.kind === 'delivered') {
      this.#sending = this.#deliverSpool();
      return;
    }
    throw new AuditUnreachableError(this.#settings.strategy.name, sink.shown, delivery.reason);
  }

  /** After the work, with what it reported; nothing when it changed nothing. */
  succeeded(report: Readonly<Record<string, Json>>): void {
    if (this.#started) this.#tell({ outcome: 'succeeded', report });
  }

  failed(error: unknown): void {
    this.#tell({ outcome: 'failed', error });
  }

  /** Waits until everything is delivered or in the spool; bounded by the attempts of the sink. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  #tell(moment: Pick<Moment, 'outcome' | 'report' | 'error'>): void {
    const event = this.#event(moment);
    this.#onEvent(event);
    if (this.#settings.audit.sink === undefined) return;
    this.#sending = this.#sending.then(() => this.#deliver(event));
  }

  #event(moment: Pick<Moment, 'outcome' | 'report' | 'error' | 'version'>): AuditEvent {
    return toAuditEvent(this.#settings, this.#correlationId, {
      operation: this.#operation,
      command: this.#command,
      milliseconds: performance.now() - this.#startedAt,
      ...moment,
    });
  }

  async #deliver(event: AuditEvent): Promise<void> {
    const { sink } = this.#settings.audit;
    if (sink === undefined) return;
    const line = lineOf(event);
    const delivery: Delivery =
      this.#silence === undefined
        ? await sendToLoki(sink, event, line)
        : { kind: 'undelivered', reason: this.#silence };
    if (delivery.kind === 'delivered') return;
    if (delivery.kind === 'undelivered') this.#silence = delivery.reason;
    const failed =
      delivery.kind === 'rejected' ? await this.#spool.setAside([line]) : await this.#spool.add([line]);
    const place = `${showPath(this.#spool.path)}${delivery.kind === 'rejected' ? '.rejected' : ''}`;
    const kept = failed === undefined ? `it is kept in ${place}` : `it cannot be kept in ${place}: ${failed}`;
    this.#log.warn(`the audit sink ${sink.shown} did not take an event: ${delivery.reason}; ${kept}`);
  }

  /** Sends what earlier runs could not, in their order; stops at the first that is not taken. */
  async #deliverSpool(): Promise<void> {
    const { sink } = this.#settings.audit;
    if (sink === undefined) return;
    const { lines, done } = await this.#spool.take();
    if (lines.length === 0) return;
    const left: string[] = [];
    const rejected: string[] = [];
    for (const line of lines) {
      const event = left.length > 0 ? undefined : eventOf(line);
      if (event === undefined) {
        // A line that a killed run cut short is nobody's event.
        if (left.length > 0) left.push(line);
        else rejected.push(line);
        continue;
      }
      const delivery = await sendToLoki(sink, event, line);
      if (delivery.kind === 'undelivered') {
        this.#silence = delivery.reason;
        left.push(line);
      }
      if (delivery.kind === 'rejected') rejected.push(line);
    }
    const failed = (await this.#spool.add(left)) ?? (await this.#spool.setAside(rejected));
    // With nowhere to put them the taken file stays, and the next run takes it up.
    if (failed === undefined) await done();
    const sent = lines.length - left.length - rejected.length;
    if (sent > 0) this.#log.info(`sent ${count(sent, 'earlier audit event')} that had waited`);
  }
}

function lineOf(event: AuditEvent): string {
  return redactJson(JSON.stringify(event)).trimEnd();
}

function eventOf(line: string): AuditEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is AuditEvent {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const texts = ['audit_id', 'operation_type', 'outcome', 'service', 'environment', 'audit_timestamp'];
  return (
    texts.every((name) => typeof fields.get(name) === 'string') &&
    !Number.isNaN(Date.parse(String(fields.get('audit_timestamp'))))
  );
}
