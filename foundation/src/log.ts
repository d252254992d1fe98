import { pino } from 'pino';
import { redact, redactJson } from './redaction.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'json' | 'text';

/** Writes one event per call: a sentence for people, fields for machines. */
export type Log = Record<LogLevel, (message: string, fields?: Readonly<Record<string, unknown>>) => void>;

/**
 * Creates the log of a program, on stderr: one JSON object a line (`level`, `time`, `program`, `msg` and the fields),
 * or `message` alone as readable text when `format` is `text`. Secrets are masked in both.
 *
 * @param write where lines go; defaults to stderr, because stdout is for results
 */
export function createLog(
  program: string,
  { level, format }: { level: LogLevel; format: LogFormat },
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const text = (line: string) => {
    const { level: name, msg } = JSON.parse(line) as { level: string; msg: string };
    return name === 'info' ? `${msg}\n` : `${name}: ${msg}\n`;
  };
  const logger = pino(
    {
      level,
      base: { program },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => write(format === 'json' ? redactJson(line) : redact(text(line))) },
  );
  const at = (name: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    logger[name](fields ?? {}, message);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
