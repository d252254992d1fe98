import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AuditSettings } from '../config.ts';
import type { AuditEvent } from './audit-event.ts';

/** What became of an event that was sent. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** Worth another try later: nobody answered, too busy, broken, or not let in. */
  | { readonly kind: 'undelivered'; readonly reason: string }
  /** Never taken, however often it is sent. */
  | { readonly kind: 'rejected'; readonly reason: string };

const attempts = 3;
const attemptMilliseconds = 2000;
const firstPause = 200;
/** However long it asks us to wait. */
const longestPause = 2000;

/**
 * Sends one event to Loki's push API: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs. Labels are few
 * and bounded, since each combination is a stream of its own; everything else is in the line.
 */
export async function sendToLoki(
  { url, authorization }: NonNullable<AuditSettings['sink']>,
  event: AuditEvent,
  line: string,
): Promise<Delivery> {
  const stream = {
    job: 'lockstep-migrate',
    service: event.service,
    environment: event.environment,
    operation_type: event.operation_type,
    outcome: event.outcome,
  };
  const labels = Object.fromEntries(Object.entries(stream).filter(([, value]) => value !== ''));
  const at = `${BigInt(Date.parse(event.audit_timestamp)) * 1_000_000n}`;
  const body = await promisify(gzip)(JSON.stringify({ streams: [{ stream: labels, values: [[at, line]] }] }));
  let last: Delivery = { kind: 'undelivered', reason: 'not tried' };
  for (let attempt = 0, pause = firstPause; attempt < attempts; attempt += 1) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    const answer = await push(url, authorization, body);
    if (answer.kind !== 'again') return answer;
    last = { kind: 'undelivered', reason: answer.reason };
    pause = Math.min(longestPause, answer.pause ?? pause * 2);
  }
  return last;
}

type Answer =
  | Delivery
  | { readonly kind: 'again'; readonly reason: string; readonly pause: number | undefined };

async function push(url: string, authorization: string | undefined, body: Buffer): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        ...(authorization === undefined ? {} : { authorization }),
      },
      // A sink that moves must be named anew: credentials follow no redirect.
      redirect: 'manual',
      signal: AbortSignal.timeout(attemptMilliseconds),
    });
    await response.body?.cancel().catch(() => {});
    const { status } = response;
    if (status >= 200 && status < 300) return { kind: 'delivered' };
    const reason = `it answered ${status}`;
    if (status === 429 || status >= 500) {
      const seconds = Number(response.headers.get('retry-after'));
      return { kind: 'again', reason, pause: seconds > 0 ? seconds * 1000 : undefined };
    }
    return status === 400 || status === 413 || status === 422
      ? { kind: 'rejected', reason }
      : { kind: 'undelivered', reason };
  } catch (error) {
    return { kind: 'again', reason: reasonOf(error), pause: undefined };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${attemptMilliseconds / 1000} s`;
  const { cause } = error;
  return cause instanceof Error ? cause.message : error.message;
}
