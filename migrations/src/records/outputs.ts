import { access, appendFile, chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Failure } from '@lockstep/foundation';
import type { Json } from '../json.ts';

/** How a command ended, for machines. */
export interface Ending {
  readonly command: string;
  readonly service: string | undefined;
  readonly milliseconds: number;
  /** What it reported; undefined when it failed. */
  readonly report: Readonly<Record<string, Json>> | undefined;
  readonly error: unknown;
}

/** Of the files that are ours, whatever the umask: others may read them and not change them. */
const fileMode = 0o644;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Adds `key=value` lines that a pipeline can test to a file, as `$GITHUB_OUTPUT` wants them.
 *
 * @returns why not, when not
 */
export async function writeOutputs(path: string, ending: Ending): Promise<string | undefined> {
  const text = outputLines(ending)
    .map(([name, value]) => `${name}=${value.replace(/[\r\n]+/g, ' ')}\n`)
    .join('');
  return attempt(async () => {
    const isOurs = !(await exists(path));
    await appendFile(path, text);
    if (isOurs) await chmod(path, fileMode);
  });
}

/** Names and values; the first two are those of the systems that are replaced. */
export function outputLines({ report, error }: Ending): [string, string][] {
  const failure = error instanceof Failure ? error : undefined;
  return [
    ['postgresMigrationStatus', error === undefined ? 'success' : 'failed'],
    ['schemaValidationResult', validation(report, failure)],
    ['migrationExitStatus', String(failure?.exitStatus ?? (error === undefined ? 0 : 1))],
    ['migrationErrorCode', failure?.code ?? ''],
    ['migrationVersion', textOf(report?.['to'] ?? report?.['version'])],
    ['migrationSteps', String(stepsOf(report).length)],
    ['migrationBackup', backupOf(report)],
  ];
}

/** The Prometheus text format, replaced as a whole: a collector never reads half a file. */
export async function writeMetrics(path: string, ending: Ending): Promise<string | undefined> {
  const partial = `${path}.${process.pid}.partial`;
  const failed = await attempt(async () => {
    // Counters go on from what the file says; a file of anybody else's counts nothing.
    const before = await readFile(path, 'utf8').catch(() => '');
    await writeFile(partial, metricLines(ending, before).join('\n'));
    await chmod(partial, fileMode);
    await rename(partial, path);
  });
  if (failed !== undefined) await rm(partial, { force: true }).catch(() => {});
  return failed;
}

/**
 * One metric a line, with its help and type before its first.
 *
 * @param before the file of the run before, whose counters go on
 */
export function metricLines(ending: Ending, before: string): string[] {
  const { command, service = '', milliseconds, report, error } = ending;
  const labels = { service, command };
  const lines: string[] = [];
  const metric = (name: string, help: string, samples: readonly [Record<string, string>, number][]) => {
    if (samples.length === 0) return;
    lines.push(`# HELP lockstep_migrate_${name} ${help}`, `# TYPE lockstep_migrate_${name} gauge`);
    for (const [more, value] of samples)
      lines.push(`lockstep_migrate_${name}{${spell({ ...labels, ...more })}} ${value}`);
  };
  const failure = error instanceof Failure ? error : undefined;
  const steps = stepsOf(report);
  metric('success', 'Whether the last run succeeded.', [[{}, error === undefined ? 1 : 0]]);
  metric('exit_status', 'Exit status of the last run.', [
    [{}, failure?.exitStatus ?? (error === undefined ? 0 : 1)],
  ]);
  metric('timestamp_seconds', 'When the last run ended.', [[{}, Math.round(Date.now() / 1000)]]);
  metric('duration_seconds', 'How long the last run took.', [[{}, milliseconds / 1000]]);
  metric('steps', 'How many steps it ran.', [[{}, steps.length]]);
  const version = report?.['to'] ?? report?.['version'];
  metric('version', 'Version of the schema after it.', typeof version === 'number' ? [[{}, version]] : []);
  metric(
    'step_duration_seconds',
    'How long each step took.',
    steps.map(({ version: step, direction, milliseconds: took }) => [
      { version: step, direction },
      took / 1000,
    ]),
  );
  const outcome = error === undefined ? 'success' : 'failure';
  const counted = countsIn(before);
  const key = spell({ ...labels, outcome });
  counted.set(key, (counted.get(key) ?? 0) + 1);
  lines.push(
    '# HELP lockstep_migrate_runs_total Runs by their outcome.',
    '# TYPE lockstep_migrate_runs_total counter',
  );
  for (const [some, count] of counted) lines.push(`lockstep_migrate_runs_total{${some}} ${count}`);
  return [...lines, ''];
}

/** The runs that a file has counted, by their labels. */
function countsIn(text: string): Map<string, number> {
  const found = text.matchAll(/^lockstep_migrate_runs_total\{([^\n]*)\} (\d{1,15})$/gm);
  return new Map([...found].map(([, labels = '', count]) => [labels, Number(count)]));
}

interface ReportedStep {
  readonly version: string;
  readonly direction: string;
  readonly milliseconds: number;
}

function stepsOf(report: Ending['report']): ReportedStep[] {
  const steps = report?.['steps'];
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step) => {
    if (typeof step !== 'object' || step === null || Array.isArray(step)) return [];
    const fields = new Map<string, unknown>(Object.entries(step));
    const milliseconds = fields.get('milliseconds');
    if (typeof milliseconds !== 'number') return [];
    return [
      { version: String(fields.get('version')), direction: String(fields.get('direction')), milliseconds },
    ];
  });
}

function validation(report: Ending['report'], failure: Failure | undefined): string {
  if (failure?.code === 'not-compliant' || failure?.code === 'data-check') return 'non-compliant';
  return report?.['compliant'] === true ? 'compliant' : 'not-checked';
}

function backupOf(report: Ending['report']): string {
  const backup = report?.['backup'];
  if (typeof backup !== 'object' || backup === null || Array.isArray(backup)) return '';
  return textOf(new Map<string, Json>(Object.entries(backup)).get('path'));
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null ? '' : String(value);
}

function spell(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`)
    .join(',');
}

async function attempt(write: () => Promise<void>): Promise<string | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
