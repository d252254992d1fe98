import { Deadline, renderFailure, toFailure } from '@lockstep/foundation';
import { createApp } from './app.ts';
import { readConnectionString } from './connection-source.ts';
import { Database } from './database.ts';
import { ListenError } from './errors.ts';
import { type Interruption, listenForInterruption } from './interruption.ts';
import { passGate } from './readiness.ts';
import type { App, Service } from './service.ts';
import { type ListenAddress, readSettings, type ServiceSettings } from './settings.ts';
import { within } from './within.ts';

/**
 * Runs a service until it is told to stop, and returns the exit status of its process.
 *
 * Reads the settings, waits for Vault and the database, passes the gate, listens; at SIGTERM or SIGINT stops
 * listening, finishes what is in flight, closes its connections. 0 after such an end; 2 for wrong settings; 3 when
 * Vault, the database or the schema is not there in time, or the address is taken; 143 or 130 when it was interrupted
 * before it listened, had to cut requests off, or was signalled twice. Prints its failures itself, on stderr.
 */
export async function runService(service: Service): Promise<number> {
  const interruption = listenForInterruption();
  return await Promise.race([interruption.again, serve(service, interruption)]);
}

async function serve(service: Service, interruption: Interruption): Promise<number> {
  try {
    const stopped = aborted(interruption.signal);
    const settings = readSettings();
    const running = await Promise.race([start(service, settings), stopped]);
    // Interrupted before it listened: there is nothing to drain, and what still waits ends with the process.
    if (running === undefined) return interruption.status() ?? 1;
    await stopped;
    return (await drain(running, settings.drainTimeoutMilliseconds)) ? 0 : (interruption.status() ?? 1);
  } catch (error) {
    process.stderr.write(renderFailure(service.name, error));
    return toFailure(error).exitStatus;
  }
}

interface Running {
  readonly app: App;
  readonly database: Database;
}

async function start(service: Service, settings: ServiceSettings): Promise<Running> {
  const startDeadline = new Deadline(settings.startTimeoutMilliseconds);
  const onWait = (reason: string) => app.log.warn({ reason }, 'waiting');
  const database = new Database({
    // What it needs goes with the name: a rollback below that is refused as long as the app is connected.
    application: `${service.name} needs ${service.requiredSchemaVersion}`,
    connectionString: (deadline) => readConnectionString(settings.connection, { deadline, onWait }),
    onEvent: (event, error) => app.log.warn({ err: error }, event),
  });
  // The app is made while Vault and the database are asked: the one is computing, the other waiting.
  const opened = database.open(startDeadline, onWait);
  const app = createApp(service, database, { level: settings.logLevel });
  await Promise.all([opened, app.ready()]);
  const version = await within(startDeadline.remaining(), passGate(service, database));
  const address = await listen(app, settings.listen);
  // Node counts performance.now() from the start of the process.
  const milliseconds = Math.round(performance.now());
  app.log.info({ address, schemaVersion: Number(version), milliseconds }, 'listening');
  return { app, database };
}

async function listen(app: App, { host, port }: ListenAddress): Promise<string> {
  const asked = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  try {
    const address = await app.listen({ host, port });
    return address.replace(/^http:\/\//, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      EADDRINUSE: 'another program listens there',
      EADDRNOTAVAIL: 'this machine has no such address',
      EACCES: 'ports below 1024 need privileges',
      ENOTFOUND: 'the host name is not known',
    };
    const reason = code === undefined ? undefined : reasons[code];
    if (reason === undefined) throw error;
    throw new ListenError(asked, reason, error);
  }
}

/** True when every request in flight was answered within `milliseconds`. */
async function drain({ app, database }: Running, milliseconds: number): Promise<boolean> {
  app.log.info('draining');
  const closed = app.close().then(() => database.close());
  const drained = await Promise.race([closed.then(() => true), after(milliseconds)]);
  if (drained) app.log.info('drained');
  else app.log.warn({ milliseconds }, 'requests in flight were cut off');
  return drained;
}

function after(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
