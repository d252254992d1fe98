import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Port, Service, Stack } from '../../compose/stack.ts';
import { onPath } from '../../on-path.ts';
import type { Folders } from './folders.ts';
import type { Cluster, PostgresAddress, Probe, UnixUser } from './launch.ts';
import type { Localise } from './local-names.ts';
import { preparePostgresPrograms } from './postgres-programs.ts';
import { postgresUser } from './reach.ts';

/** What a service becomes before the parts all services share are added. */
export interface Program {
  readonly argv: readonly string[];
  readonly environmentFiles?: Readonly<Record<string, string>>;
  readonly user?: UnixUser | undefined;
  readonly cluster?: Cluster;
  readonly probe: Probe | undefined;
}

/** What a built-in program is made from. */
export interface ProgramInput {
  readonly service: Service;
  readonly localise: Localise;
  readonly environment: Readonly<Record<string, string>>;
  readonly folders: Folders;
  readonly stack: Stack;
  readonly inherited: Readonly<Record<string, string>>;
  readonly notes: string[];
}

/**
 * Postgres from npm on the published address. It skips fsync at initdb only: a cluster that is lost then is made anew.
 * Settings go on the command line, so that a changed port counts at the next start.
 */
export function postgresProgram(input: ProgramInput, port: Port): Program {
  const { service, environment, folders, localise } = input;
  const user = postgresUser();
  const programs = preparePostgresPrograms(user, folders);
  if (programs.note !== undefined) input.notes.push(programs.note);
  const target = service.mounts.find(({ kind }) => kind === 'volume')?.target ?? '';
  const clusterFolder = join(localise(target), 'data');
  const address: PostgresAddress = {
    host: port.host === '0.0.0.0' ? '127.0.0.1' : port.host,
    port: port.published,
    user: environment['POSTGRES_USER'] ?? '',
    passwordFile: environment['POSTGRES_PASSWORD_FILE'] ?? '',
  };
  const settings = {
    listen_addresses: port.host,
    port: port.published,
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return {
    argv: [
      programs.postgres,
      '-D',
      clusterFolder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ...service.command.map(localise),
    ],
    user,
    cluster: {
      initdb: programs.initdb,
      clusterFolder,
      superuser: address.user,
      passwordFile: address.passwordFile,
      major: programs.major,
    },
    probe: { kind: 'postgres', ...address },
  };
}

/** A real Vault (or OpenBao) in development mode when there is one on PATH, else the project's own. */
export function vaultProgram({ service, stack, inherited, notes }: ProgramInput, port: Port): Program {
  const tokenFile = stack.secrets.get(service.secrets[0]?.name ?? '') ?? '';
  const host = port.host === '0.0.0.0' ? '127.0.0.1' : port.host;
  const probe: Probe = { kind: 'http', url: `http://${host}:${port.published}/v1/sys/health` };
  const real = ['vault', 'bao']
    .map((name) => onPath(name, inherited['PATH']))
    .find((path) => path !== undefined);
  if (real !== undefined) {
    notes.push(`${service.name} is ${real} server -dev`);
    const address = `-dev-listen-address=${host}:${port.published}`;
    return {
      argv: [real, 'server', '-dev', '-dev-no-store-token', address],
      environmentFiles: { VAULT_DEV_ROOT_TOKEN_ID: tokenFile, BAO_DEV_ROOT_TOKEN_ID: tokenFile },
      probe,
    };
  }
  const program = developmentVault();
  const options = [
    '--port',
    String(port.published),
    '--root-token-file',
    tokenFile,
    '--address',
    host,
    '--quiet',
  ];
  return { argv: [process.execPath, program, ...options], probe };
}

/** vault/dist/dev-vault.cjs of the project this program belongs to: beside scripts/dist, wherever the stack is. */
function developmentVault(): string {
  const here = fileURLToPath(import.meta.url);
  for (let folder = resolve(here, '..'); folder !== resolve(folder, '..'); folder = resolve(folder, '..')) {
    const candidate = join(folder, 'vault', 'dist', 'dev-vault.cjs');
    if (existsSync(candidate)) return candidate;
  }
  return join('vault', 'dist', 'dev-vault.cjs');
}
