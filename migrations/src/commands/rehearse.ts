import type { Command } from '../command.ts';
import { textOf } from './arguments.ts';

export const rehearse: Command = {
  usage: 'rehearse',
  words: 'runs what is pending on a scratch copy and measures each statement; changes nothing',
  options: [
    ['--rows <table=number>', 'fills tables to size first, commas between: orders=5000000,customers=10000'],
    ['--fill <file>', 'SQL that makes rows first, where made-up ones will not do'],
    ['--all', 'rehearses every migration from nothing'],
  ],
  help: `
The scratch database is made by the files that are applied, on the same server or on that of --scratch-url, and dropped at the end. For
each statement it shows the time, the bytes of the write-ahead log (of the whole server: let nothing else run), the locks that were
held on what was there before, and which tables were written anew. Without --rows tables are empty, so times say little.`,
  examples: ['rehearse --all', 'rehearse --rows services=100000 --timeout 10m'],
  prepare: (_argument, options) => {
    const rows = textOf(options['rows']);
    const fillFile = textOf(options['fill']);
    return async (settings, hooks, names) => {
      const { rehearse: run } = await import('../rehearse/rehearse.ts');
      const { parseRows } = await import('../rehearse/fill.ts');
      const { reportRehearsal } = await import('../rehearse/rehearsal-report.ts');
      const wishes = {
        rows: rows === undefined ? [] : parseRows(rows),
        fillFile,
        all: options['all'] === true,
      };
      return reportRehearsal(await run(settings, wishes, hooks), names);
    };
  },
};
