import { readFileSync } from 'node:fs';
import { markSecret } from '@lockstep/foundation';
import { parseConnectionString } from '@lockstep/postgres';
import { chooseEngine } from '../choose.ts';
import { reachableHost, type Stack } from '../compose/stack.ts';
import { type Connection, type Engine, isUp } from '../engine.ts';
import { PreflightError, systemReason, UsageError } from '../errors.ts';
import { openStack } from '../prepare.ts';
import { chosenMigrations, type GlobalOptions, projectOf, type Terminal } from './context.ts';
import { requireOwn } from './own.ts';

/**
 * Opens psql on the database of a service, as the role asked for; returns psql's exit status. With `--url` as its first argument
 * it prints the database's URL instead, as it is reached from this machine, the password only with `--show-password` after it.
 */
export async function psql(
  service: string | undefined,
  args: readonly string[],
  options: GlobalOptions & { readonly role: 'migrator' | 'app' },
  terminal: Terminal,
): Promise<number> {
  const opened = openStack(projectOf(options));
  const chosen = chosenMigrations(opened.stack, service);
  const [only] = chosen;
  if (only === undefined || chosen.length > 1) {
    throw new UsageError('which service?', {
      evidence: [`there are: ${chosen.map((one) => one.service).join(', ') || 'none'}`],
      ...(only === undefined ? {} : { hint: `make psql SERVICE=${only.service}` }),
    });
  }
  const { engine } = await chooseEngine(options.engine, opened);
  await requireOwn(engine, opened, undefined);
  await requireRunning(engine, opened.stack);
  const showPassword = args[0] === '--url' ? readUrlOptions(args.slice(1)) : undefined;
  const connection = await readConnection(opened.stack, `${only.service}/${options.role}`);
  if (showPassword === undefined) return engine.psql(connection, args);
  terminal.out(`${urlOf(opened.stack, connection, showPassword)}\n`);
  return 0;
}

/**
 * On the ports of a stack that does not run another one may answer, with the same token when its `.env` was copied.
 *
 * @throws {PreflightError} when Postgres or Vault of this stack does not run
 */
async function requireRunning(engine: Engine, stack: Stack): Promise<void> {
  const states = new Map((await engine.status()).map(({ service, state }) => [service, state]));
  const down = [...stack.services.values()]
    .filter(({ embedded }) => embedded?.program !== undefined)
    .map(({ name }) => ({ name, state: states.get(name) ?? 'stopped' }))
    .filter(({ state }) => !isUp(state));
  if (down.length === 0) return;
  throw new PreflightError(`${stack.name} does not run on ${engine.name}`, {
    evidence: down.map(({ name, state }) => `${name} is ${state}`),
    hint: 'make up',
  });
}

function readUrlOptions(words: readonly string[]): boolean {
  const unknown = words.find((word) => word !== '--show-password');
  if (unknown === undefined) return words.length > 0;
  throw new UsageError(`--url takes --show-password alone, got ${JSON.stringify(unknown)}`);
}

function urlOf(stack: Stack, { user, password, database }: Connection, showPassword: boolean): string {
  const port = [...stack.services.values()].find((one) => one.embedded?.program === 'postgres')?.ports[0];
  if (port === undefined) throw new UsageError('the stack has no Postgres with a published port');
  const secret = showPassword ? encodeURIComponent(password) : '***';
  const address = `${reachableHost(port.host)}:${port.published}`;
  return `postgres://${encodeURIComponent(user)}:${secret}@${address}/${encodeURIComponent(database)}`;
}

/** Reads `secret/data/<path>` with the root token: this is the developer's own machine and Vault. */
async function readConnection(stack: Stack, path: string): Promise<Connection> {
  const vault = [...stack.services.values()].find(({ embedded }) => embedded?.program === 'vault');
  const [port] = vault?.ports ?? [];
  const tokenFile = stack.secrets.get(vault?.secrets[0]?.name ?? '');
  if (port === undefined || tokenFile === undefined) {
    throw new UsageError('the stack has no Vault with a published port and a root token');
  }
  const address = `http://${reachableHost(port.host)}:${port.published}`;
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new PreflightError(`${tokenFile}: ${systemReason(error)}`, { hint: 'make up' });
  }
  markSecret(token);
  const text = await fetchSecret(`${address}/v1/secret/data/${path}`, token);
  return toConnection(text, path);
}

async function fetchSecret(url: string, token: string): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      headers: { 'x-vault-token': token },
      signal: AbortSignal.timeout(5_000),
      redirect: 'error',
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new PreflightError('Vault does not answer', {
      evidence: [`${url}: ${systemReason(cause)}`],
      hint: 'make up',
    });
  }
  const said = await answer.text();
  if (answer.ok) return parseJson(said);
  const evidence = [`${url} answers ${answer.status}`];
  throw new PreflightError(answer.status === 404 ? 'Vault has no such secret' : 'Vault refuses', {
    evidence,
    hint: 'make up',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of `data.data.connection_string`, which is read as the migrator and the apps read it. */
function toConnection(answer: unknown, path: string): Connection {
  const text = field(field(field(answer, 'data'), 'data'), 'connection_string');
  const parameters = parseConnectionString(typeof text === 'string' ? text : '');
  if ('rule' in parameters) {
    throw new PreflightError(`secret/${path} in Vault has no connection_string: it ${parameters.rule}`, {
      hint: 'make up',
    });
  }
  const { user, password = '', database } = parameters;
  markSecret(password);
  return { user, password, database };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
