import type { Log, LogFormat, LogLevel } from '@lockstep/foundation/log';

/**
 * A log whose library is loaded with its first line: a run that finds nothing to do writes none, and starts faster.
 * Lines keep their order; `flush` waits until all are written.
 */
export function createLateLog(
  program: string,
  options: { readonly level: LogLevel; readonly format: LogFormat },
): Log & { flush(): Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  let loaded: Promise<Log> | undefined;
  const at = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (level === 'debug' && options.level !== 'debug') return;
    loaded ??= import('@lockstep/foundation/log').then(({ createLog }) => createLog(program, options));
    const ready = loaded;
    writing = writing.then(async () => (await ready)[level](message, fields));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    flush: () => writing,
  };
}
