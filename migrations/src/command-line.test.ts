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
  ['--lock-timeout 3s up', '--lock-timeout 3s up'],
])('%j is read as %j', (given, ours) => {
  const words = (line: string) => (line === '' ? [] : line.split(' '));
  expect(toOurWords(words(given))).toEqual(words(ours));
});

test.each([
  ['create -ext sql -dir d -seq n', 'create --path d n'],
  ['create -ext=.sql -dir=file://d -seq -digits 4 n', 'create --path d n'],
  ['create --ext sql --dir d n', 'create --path d n --timestamp'],
  ['create -ext sql -dir d -tz UTC n', 'create --path d n --timestamp'],
  ['-verbose -path m -database postgres://h/d up', '--path m --database-url postgres://h/d up'],
  ['-prefetch 20 -verbose --path m version', '--path m version'],
  ['-path m force -1', '--path m force none'],
  ['-path m down -all', '--path m down all'],
  ['down 3', 'down 3'],
  ['goto none', 'goto none'],
  ['-database=postgres://h/d -source=file://m up 1', '--database-url postgres://h/d --path m up 1'],
])('F10.2 golang-migrate’s %j is read as %j', (given, ours) => {
  expect(toOurWords(given.split(' '))).toEqual(ours.split(' '));
});

test.each([
  [
    '-source github://user:token@owner/repo/path up',
    'migrations are read from a folder, and not from github://',
  ],
  ['-source=s3://bucket/folder up', 'migrations are read from a folder, and not from s3://'],
  ['--path go-bindata://x up', 'migrations are read from a folder, and not from go-bindata://'],
  ['-lock-timeout 3 up', '-lock-timeout is golang-migrate’s: a lock is waited for as long as --timeout says'],
  ['create -ext json -dir d n', '-ext: migrations are .sql files here'],
  [
    'create -ext sql -format unix n',
    '-format is golang-migrate’s: a version is a number, or a time with --timestamp',
  ],
  ['-path m drop', 'drop is golang-migrate’s: here recreate builds the database anew, and keeps the old one'],
  ['-path m drop -f', '-f is golang-migrate’s: nothing is dropped without a copy'],
])('F10.2 golang-migrate’s %j is refused by name', (given, fact) => {
  expect(() => toOurWords(given.split(' '))).toThrow(fact);
});
