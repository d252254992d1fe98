import { expect, test } from 'vitest';
import { toOurWords } from './command-line.ts';

test.each([
  ['-path m -database postgres://h/d up 2', '--path m --database-url postgres://h/d up 2'],
  [
    '-source file://m -database=postgres://h/d?a=b goto 3',
    '--path m --database-url postgres://h/d?a=b goto 3',
  ],
  ['-source=file:///abs/m version', '--path /abs/m version'],
  ['-version', '--version'],
  [
    '--environment=staging --database-url=postgres://h/d',
    'up --environment=staging --database-url=postgres://h/d',
  ],
  ['--environment development --aggressive', 'up --environment development --aggressive'],
  ['--environment=production --rollback-to-version=12', 'rollback 12 --environment=production'],
  [
    '--rollback-to-version 12 --require-approval --approved plan.json',
    'rollback 12 --require-approval --approved plan.json',
  ],
  ['down --rollback-to-version 12', 'down --rollback-to-version 12'],
  ['--rollback-to-version', '--rollback-to-version'],
  ['--path up', '--path up'],
  ['', ''],
  ['--help', '--help'],
  ['--environment staging --help', '--environment staging --help'],
  ['--format json', '--format json'],
  ['status --environment staging', 'status --environment staging'],
  ['statsu --path m', 'statsu --path m'],
  ['-lock-timeout 3 up', '-lock-timeout 3 up'],
])('%j is read as %j', (given, ours) => {
  const words = (line: string) => (line === '' ? [] : line.split(' '));
  expect(toOurWords(words(given))).toEqual(words(ours));
});
