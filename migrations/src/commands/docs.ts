import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { textOf } from './arguments.ts';

export const docs: Command = {
  usage: 'docs',
  words: 'writes a page of the schema and the migrations, as the files make them',
  options: [
    ['--out <file>', 'where to; - prints it; default: docs/schema.md in the folder of migrations'],
    ['--check', 'writes nothing, and ends with 6 when the page is not current'],
    ['--durations', 'adds how long each migration took in this database, which no other page has'],
  ],
  help: `
The migrations run in a scratch database, whose schema is read: tables, columns, constraints, indexes, a diagram for Mermaid; then each
migration's purpose (the comment at its head), risk and reversibility. The same files make the same page on every server.`,
  examples: ['docs', 'docs --check'],
  prepare: (_argument, options) => {
    const [out, check, durations] = [
      textOf(options['out']),
      options['check'] === true,
      options['durations'] === true,
    ];
    if (check && (durations || out === '-'))
      throw new UsageError('--check goes with a file, and without --durations', 'migrate docs --help');
    return async (settings, hooks) => {
      const { checkPage, defaultPage, makePage, writePage } = await import('../documentation/document.ts');
      const { reportDocumentation } = await import('../documentation/documentation-report.ts');
      const { showPath } = await import('../folder.ts');
      const { contents, text } = await makePage(settings, durations, hooks);
      if (out === '-') return reportDocumentation(contents, text, text.trimEnd());
      const path = out ?? defaultPage(settings);
      if (check) {
        await checkPage(path, text);
        return reportDocumentation(contents, `${showPath(path)} is current`, undefined);
      }
      const written = await writePage(path, text);
      return reportDocumentation(
        contents,
        `${showPath(path)} ${written ? 'is written' : 'was current'}`,
        undefined,
      );
    };
  },
};
