import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Socket } from 'node:net';
import { shorten } from '../../table.ts';
import type { Launch, PostgresAddress } from './launch.ts';

/** What a probe found. A `fatal` one will not get better by waiting. */
export type Found =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly fatal?: boolean };

/** Asks a service whether it is well; never throws. Aborting `signal` ends the question. */
export async function runProbe(launch: Launch, signal: AbortSignal): Promise<Found> {
  const { probe, health } = launch;
  if (probe === undefined) return { ok: true };
  // Not AbortSignal.any: on Node 20 what it returns is collected with its listeners, and then never aborts.
  const limit = new AbortController();
  const end = () => limit.abort();
  const timer = setTimeout(end, Math.max(1, health.timeoutMilliseconds));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    if (probe.kind === 'http') return await probeHttp(probe.url, limit.signal);
    if (probe.kind === 'postgres') return await probePostgres(probe, health.timeoutMilliseconds);
    return await probeCommand(probe.argv, launch, limit.signal);
  } catch (error) {
    return { ok: false, reason: limit.signal.aborted ? 'no answer in time' : reasonOf(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function probeHttp(url: string, signal: AbortSignal): Promise<Found> {
  return new Promise((resolve, reject) => {
    // A connection of its own: one kept alive would keep a draining app from ending.
    const asked = request(url, { agent: false, signal, headers: { connection: 'close' } }, (answer) => {
      const status = answer.statusCode ?? 0;
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, mostRead);
      });
      answer.once('error', reject);
      answer.once('end', () => {
        const ok = status >= 200 && status < 300;
        resolve(
          ok ? { ok } : { ok, reason: `${new URL(url).pathname} answers ${status}${shortReason(body)}` },
        );
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

const mostRead = 4_000;
const longestReason = 120;

/** What a refusal says to a person: the detail of a problem (RFC 9457), else its first line. */
export function shortReason(body: string): string {
  const text = (detailOf(body) ?? body.trim().split('\n')[0] ?? '').replace(/\s+/g, ' ').trim();
  return text === '' ? '' : `: ${shorten(text, longestReason)}`;
}

function detailOf(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const found = ['detail', 'reason', 'message', 'error', 'title'].map((name): unknown =>
    Reflect.get(value, name),
  );
  return found.find((one): one is string => typeof one === 'string' && one !== '');
}

/** A real query over TCP: the port is open, and `pg_isready` says yes, while initdb or recovery are still at work. */
async function probePostgres(address: PostgresAddress, timeoutMilliseconds: number): Promise<Found> {
  const { default: pg } = await import('pg');
  const socket = new Socket();
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: address.user,
    password: readFileSync(address.passwordFile, 'utf8').trim(),
    database: 'postgres',
    application_name: 'stack health',
    connectionTimeoutMillis: timeoutMilliseconds,
    query_timeout: timeoutMilliseconds,
    stream: () => socket,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    client.end().catch(() => undefined);
    return { ok: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== '28P01' && code !== '28000') return { ok: false, reason: reasonOf(error) };
    const reason = `Postgres refuses ${address.user}'s password: its volume was made with another one than .env has now`;
    return { ok: false, reason, fatal: true };
  } finally {
    // Not by the client's own farewell: of a Postgres that is paused it waits for an answer for ever.
    socket.destroySoon();
  }
}

function probeCommand(argv: readonly string[], launch: Launch, signal: AbortSignal): Promise<Found> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: launch.folder,
      env: launch.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
      ...launch.user,
    });
    let said = '';
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-300);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('close', (status) => {
      const reason = `its health check exits ${status ?? 'by a signal'}${said === '' ? '' : `: ${said.trim()}`}`;
      resolve(status === 0 ? { ok: true } : { ok: false, reason });
    });
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's AggregateError of several addresses has an empty message.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.message || code || error.name;
}
