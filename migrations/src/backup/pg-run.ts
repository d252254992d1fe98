import { type ChildProcess, spawn } from 'node:child_process';
import { devNull } from 'node:os';
import type { Readable } from 'node:stream';
import { redact } from '@lockstep/foundation';
import type { ConnectionParameters } from '@lockstep/postgres';
import type { PgTool } from './pg-tool.ts';

/** A run of one of Postgres' own programs. */
export interface PgRun {
  readonly output: Readable;
  /** Resolves at its end, whatever that was. */
  readonly ended: Promise<PgEnd>;
  /** Ends it now. */
  stop(): void;
}

export interface PgEnd {
  /** 0 when it succeeded; undefined when it was killed or could not be started. */
  readonly status: number | undefined;
  /** The last lines it wrote to stderr. */
  readonly complaint: readonly string[];
}

const longestComplaint = 64 * 1024;

/**
 * Starts a program that connects by `parameters`. The password goes through the environment of the program alone: never
 * through its arguments, which everybody on the machine can read.
 */
export function startPgTool(
  tool: PgTool,
  args: readonly string[],
  parameters: ConnectionParameters,
  applicationName: string,
): PgRun {
  const child: ChildProcess = spawn(tool.path, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentOf(parameters, applicationName),
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-longestComplaint);
  });
  const ended = new Promise<PgEnd>((resolve) => {
    child.once('error', (error) => resolve({ status: undefined, complaint: [error.message] }));
    child.once('close', (code) => resolve({ status: code ?? undefined, complaint: linesOf(complaint) }));
  });
  if (child.stdout === null) throw new Error('a pipe was asked for');
  return { output: child.stdout, ended, stop: () => void child.kill('SIGKILL') };
}

/** Nothing of this machine's own settings for libpq: `PGSERVICE` or a `.pgpass` would change where it connects. */
function environmentOf(parameters: ConnectionParameters, applicationName: string): NodeJS.ProcessEnv {
  const { host, port, user, password, database, options, tls, tlsFiles, tlsVersions } = parameters;
  const values: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    LC_ALL: 'C.UTF-8',
    // For the certificates in ~/.postgresql.
    HOME: process.env['HOME'],
    PGHOST: host,
    PGHOSTADDR: parameters.hostaddr,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password ?? '',
    PGPASSFILE: devNull,
    PGDATABASE: database,
    PGOPTIONS: options,
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '10',
    PGSSLMODE: tls === 'no-verify' ? 'require' : tls,
    PGSSLROOTCERT: tlsFiles.sslrootcert,
    PGSSLCERT: tlsFiles.sslcert,
    PGSSLKEY: tlsFiles.sslkey,
    PGSSLCRL: tlsFiles.sslcrl,
    PGSSLNEGOTIATION: parameters.tlsNegotiation,
    PGSSLMINPROTOCOLVERSION: tlsVersions?.oldest,
    PGSSLMAXPROTOCOLVERSION: tlsVersions?.newest,
    PGSSLSNI: parameters.tlsNamesServer === false ? '0' : undefined,
    PGCHANNELBINDING: parameters.channelBinding,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The password was marked as a secret when it was read. */
function linesOf(complaint: string): string[] {
  return redact(complaint)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-8);
}

/** How libpq spells the name of a database among `key=value` pairs, so that none can pass for a connection string. */
export function databaseArgument(database: string): string {
  return `--dbname=dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}
