import { readFileSync, statSync } from 'node:fs';
import { systemReason } from './errors.ts';

/** A file's text, or what is wrong with the file: `has 5 bytes; …`, `cannot be read: …`. */
export interface FileText {
  readonly text?: string;
  readonly problem?: string;
  /** Where in the file, when it is a place. */
  readonly line?: number;
  readonly cause?: unknown;
}

/** Far above any real compose file or `.env`; stops a wrong file from being parsed for minutes. */
const mostBytes = 1024 * 1024;

/** Reads a file that a person wrote: refuses one that is far too large, or holds a NUL byte. Never throws. */
export function readText(path: string, most = mostBytes): FileText {
  try {
    const { size } = statSync(path);
    if (size > most) return { problem: `has ${size} bytes; at most ${most} are read` };
    const text = readFileSync(path, 'utf8');
    const nul = text.indexOf('\0');
    if (nul === -1) return { text };
    return {
      problem: 'has a NUL byte; it must be text',
      line: text.slice(0, nul).split('\n').length,
    };
  } catch (error) {
    return { problem: `cannot be read: ${systemReason(error)}`, cause: error };
  }
}
