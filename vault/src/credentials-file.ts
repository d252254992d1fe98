import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { CredentialsFileError } from './errors.ts';

const largestFile = 64 * 1024;

const openProblems: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder',
  ENOTDIR: 'lies under something that is not a folder',
};

/**
 * Reads one credential (a role id, a secret id, a token) from a file and trims white space and a byte-order mark
 * around it.
 *
 * Reads at most 64 kB, whatever the file claims to be, and refuses what is no single line of printable text.
 *
 * @throws {CredentialsFileError} which names the file and the rule, never the content
 */
export async function readCredentialsFile(file: string): Promise<string> {
  const bytes = await readStart(file);
  if (bytes.length > largestFile)
    throw new CredentialsFileError(file, `is larger than ${largestFile / 1024} kB`);
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim();
  if (text === '') throw new CredentialsFileError(file, 'is empty', { isUnwritten: true });
  if (text.includes('\0')) throw new CredentialsFileError(file, 'holds a NUL byte');
  if (/[\r\n]/.test(text)) throw new CredentialsFileError(file, 'holds more than one line');
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new CredentialsFileError(
      file,
      'holds characters that no credential has (blank, control or non-ASCII)',
    );
  }
  return text;
}

async function readStart(file: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK opening a named pipe would wait for somebody to write to it.
    const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      // Not `readFile`: a file such as /dev/zero has no end.
      if (!(await opened.stat()).isFile()) throw new CredentialsFileError(file, 'is not a regular file');
      const buffer = Buffer.alloc(largestFile + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await opened.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof CredentialsFileError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new CredentialsFileError(file, openProblems[code] ?? `cannot be read (${code || String(error)})`, {
      cause: error,
      ...(code === 'ENOENT' ? { isUnwritten: true } : {}),
    });
  }
}
