import type { Log, LogFormat, LogLevel } from '@lockstep/foundation/log';
import { printableLines } from './printable.ts';

/**
 * A log whose library is loaded with its first line: a run that finds nothing to do writes none, and starts faster.
 * Lines keep their order and hold nothing that commands a terminal; `flush` waits until stderr has taken all of them.
 */
export function createLateLog(
  program: string,
  options: { readonly level: LogLevel; readonly format: LogFormat },
): Log & { flush(): Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  let loaded: Promise<Log> | undefined;
  const at = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (level === 'debug' && options.level !== 'debug') return;
    loaded ??= import('@lockstep/foundation/log').then(({ createLog }) => createLog(program, options, write));
    const ready = loaded;
    writing = writing.then(async () => (await ready)[level](message, fields));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    flush: async () => {
      await writing;
      // A pipe takes its time, and what it has not taken yet would be lost at the exit.
      if (loaded !== undefined) await new Promise((resolve) => process.stderr.write('', resolve));
    },
  };
}

function write(line: string): void {
  process.stderr.write(printableLines(line));
}
