import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { project } from '../support/project-copy.ts';

/** Wordings that people had to read twice. */
const puzzling = [
  'as before: waits for',
  'strategy exclude each other',
  'which asks for',
  'two thousand million',
  'nobody can be asked',
  'once it is put right',
  'when unstated',
  'mended failure',
  'try: stack --help',
];

test.each(puzzling)('F16.12 no message and no page says "%s"', (words) => {
  const grep = () =>
    execFileSync(
      'grep',
      [
        '-rlF',
        words,
        '--include=*.ts',
        '--include=*.md',
        '--exclude-dir=node_modules',
        '--exclude-dir=dist',
        '--exclude-dir=.lockstep',
        '--exclude=CHANGELOG.md',
        '--exclude=words.test.ts',
        '.',
      ],
      {
        cwd: project,
        encoding: 'utf8',
      },
    );
  // grep ends with 1 when it finds nothing.
  expect(grep).toThrow(expect.objectContaining({ status: 1 }));
});
