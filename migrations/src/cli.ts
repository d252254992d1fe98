import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, redact, redactField, renderFailure, toFailure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import { nameOf, type Work } from './command.ts';
import { toOurWords } from './command-line.ts';
import { type CommandSettings, readConfig } from './config.ts';
import type { FileSettings } from './config-file.ts';
import { DocumentedFailure, InterruptedError } from './errors.ts';
import { createLateLog } from './late-log.ts';
import { printableLines } from './printable.ts';
import { CommanderError, describeProgram, type Request, toUsageError } from './program.ts';
import type { ReportNames } from './report.ts';
import { type SettingKey, spellings } from './setting-names.ts';
import type { Flags } from './setting-sources.ts';

const interrupts = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    const reason = new InterruptedError(signal);
    // The second one means now.
    if (interrupts.signal.aborted) process.exit(reason.exitStatus);
    interrupts.abort(reason);
  });
}
// A reader that left (`migrate status | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

void main(process.argv.slice(2)).then((status) => process.exit(status));

/** Returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const outcome = { status: 0 };
  const words = toOurWords(args);
  const program = describeProgram(words, async (request, flags, work) => {
    outcome.status = await run(request, flags, work);
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return outcome.status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failure = error instanceof CommanderError ? toUsageError(error) : toFailure(error);
    // The flag itself may be what was not understood, so it is looked for in the raw words.
    if (/(^|\0)--format(=|\0)json(\0|$)/.test(args.join('\0'))) {
      await print(process.stdout, failureDocument(undefined, failure));
    }
    await print(process.stderr, renderFailure('migrate', failure));
    return failure.exitStatus;
  }
}

/** Runs one command and prints what came of it; returns the exit status. */
async function run(request: Request, flags: Flags, work: Work): Promise<number> {
  const { command, offline } = request;
  const name = nameOf(command);
  const settings = readConfig(flags, process.env, hasTerminal(), await filesOf(flags), offline);
  const log = createLateLog('migrate', settings.log);
  for (const warning of settings.warnings) log.warn(warning);
  const { service, format } = settings;
  const names: ReportNames = {
    service,
    undoCommand: service === undefined ? 'migrate undo' : `make db-undo SERVICE=${service}`,
  };
  const recorder = await openRecorder(settings, log, request);
  try {
    const report = await work(settings, { log, signal: interrupts.signal, ...recorder?.hooks }, names);
    await recorder?.ended(report.json, undefined);
    await log.flush();
    const { exitStatus = 0 } = report;
    const document = toDocument({ success: exitStatus === 0, command: name, ...report.json });
    // A document is made of the files alone, where what looks like a secret is SQL: a mask would change it.
    const text = `${report.document ?? redact(report.text)}\n`;
    await print(process.stdout, format === 'json' ? document : text);
    return exitStatus;
  } catch (error) {
    const failure = toFailure(error);
    await recorder?.ended(undefined, failure);
    const { message, code, exitStatus, evidence, hint } = failure;
    if (settings.log.format === 'json') log.error(message, { code, exitStatus, evidence, hint });
    await log.flush();
    if (format === 'json') await print(process.stdout, failureDocument(name, failure));
    if (settings.log.format === 'text') await print(process.stderr, renderFailure('migrate', failure));
    return exitStatus;
  }
}

/** Whether a person is there: also when what is logged goes through a pipe, as in `migrate up 2>&1 | less`. */
function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true);
}

/** What is told elsewhere, when anything is to be; most runs load nothing of it. */
async function openRecorder(settings: CommandSettings, log: Log, { command, isDryRun }: Request) {
  const { audited, recorded } = command;
  if (isDryRun) return undefined;
  if (audited === undefined && recorded !== true) return undefined;
  const { outputs, metrics } = settings.records;
  const wanted = settings.audit.sink !== undefined || settings.log.format === 'json';
  if (outputs === undefined && metrics === undefined && !(wanted && audited !== undefined)) return undefined;
  const { Recorder } = await import('./records/recorder.ts');
  return new Recorder(settings, log, nameOf(command), audited);
}

/** The configuration file, when one is named, over what environments.json beside the migrations says of the environment. */
async function filesOf(flags: Flags): Promise<FileSettings | undefined> {
  const stated = (key: SettingKey) =>
    spellings(key)
      .map((name) => flags[name] ?? process.env[name])
      .find((value): value is string => typeof value === 'string' && value !== '');
  const path = stated('config');
  const config = path === undefined ? undefined : (await import('./config-file.ts')).readConfigFile(path);
  const folder = stated('path') ?? config?.values['path'] ?? './migrations';
  const name = join(folder, 'environments.json');
  if (folder.includes('\0') || !existsSync(name)) return config;
  const { readEnvironments, underConfigFile } = await import('./environments/environments-file.ts');
  const all = readEnvironments(folder);
  const environment = stated('environment') ?? config?.values['environment'];
  const own = [...(all ?? [])].find(([known]) => known === environment)?.[1];
  if (own === undefined) return config;
  const { showPath } = await import('./folder.ts');
  return underConfigFile(own, showPath(name), config);
}

function failureDocument(command: string | undefined, failure: Failure): string {
  const { code, message, exitStatus, evidence, hint } = failure;
  const error = { code, message, exitStatus, evidence, hint: hint ?? null };
  const more = failure instanceof DocumentedFailure ? failure.document : {};
  return toDocument({ success: false, command: command ?? null, ...more, error });
}

/** Secrets are masked text by text: in the document as a whole a mask could swallow a quote. */
function toDocument(document: object): string {
  return `${JSON.stringify(document, redactField)}\n`;
}

/**
 * Waits until the text is written: what a pipe has not taken yet would be lost at the exit. Names of databases and roles
 * may hold control characters: none of them reaches the terminal.
 */
async function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  await new Promise<void>((resolve) => stream.write(printableLines(text), () => resolve()));
}
