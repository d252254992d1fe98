import { basename } from 'node:path';
import { checksumStatements } from './checksum.ts';
import type { SqlFile, Statement } from './migration.ts';

/** Makes one direction of a migration from its text and the statements in it. */
export function toSqlFile(path: string, text: string, statements: readonly Statement[]): SqlFile {
  return { path, name: basename(path), text, statements, checksum: checksumStatements(statements) };
}
