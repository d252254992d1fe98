import type { Condition, Restart } from '../../compose/stack.ts';

/**
 * One service as a local process: everything the supervisor needs, names and paths made local. Made by the command
 * line, sent to the supervisor, and never written to disk.
 */
export interface Launch {
  readonly service: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Variable to the file whose content is its value, read when the process starts. */
  readonly environmentFiles: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly user: UnixUser | undefined;
  /** For Postgres: the cluster to make before the first start. */
  readonly cluster: Cluster | undefined;
  readonly probe: Probe | undefined;
  readonly health: HealthTimes;
  readonly dependsOn: readonly { readonly service: string; readonly condition: Condition }[];
  readonly restart: Restart;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMilliseconds: number;
  /** Whether another service waits for it to end. */
  readonly oneShot: boolean;
  readonly url: string | undefined;
  /** Changes when the process would be a different one: its arguments, settings, programs. */
  readonly hash: string;
}

export interface UnixUser {
  readonly uid: number;
  readonly gid: number;
}

export type Probe =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | ({ readonly kind: 'postgres' } & PostgresAddress);

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly passwordFile: string;
}

export interface HealthTimes {
  readonly intervalMilliseconds: number;
  readonly timeoutMilliseconds: number;
  readonly retries: number;
  readonly startPeriodMilliseconds: number;
}

export interface Cluster {
  readonly initdb: string;
  readonly clusterFolder: string;
  readonly superuser: string;
  readonly passwordFile: string;
  /** The major version of the programs. */
  readonly major: number;
}
