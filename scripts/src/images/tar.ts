import { type FileHandle, open } from 'node:fs/promises';
import { PreflightError } from '../errors.ts';
import { throwIfInterrupted } from './container-program.ts';
import type { TreeEntry } from './file-tree.ts';

const block = 512;

/**
 * Writes entries as a tar archive in the ustar format (POSIX.1-1988), owners as stated: no right of root is needed to make
 * files that are not one's own. Times are zero, so that the same entries make the same archive.
 *
 * @throws {PreflightError} for a path that ustar cannot hold, or a file that grew or shrank meanwhile
 */
export async function writeTar(
  file: string,
  entries: readonly TreeEntry[],
  signal?: AbortSignal,
): Promise<void> {
  const archive = await open(file, 'wx', 0o600);
  try {
    for (const entry of entries) {
      throwIfInterrupted(signal);
      await archive.writeFile(tarHeader(entry));
      if (entry.kind === 'text') {
        await archive.writeFile(entry.content);
        await archive.writeFile(padding(sizeOf(entry)));
      }
      if (entry.kind === 'copy') await copyFile(archive, entry.from, entry.bytes);
    }
    await archive.writeFile(Buffer.alloc(2 * block));
  } finally {
    await archive.close();
  }
}

/** One entry's header of 512 bytes. */
export function tarHeader(entry: TreeEntry): Buffer {
  const header = Buffer.alloc(block);
  const { name, prefix } = splitPath(entry.kind === 'folder' ? `${entry.path}/` : entry.path);
  const link = entry.kind === 'link' ? entry.to : '';
  if (Buffer.byteLength(link) > 100) throw tooLong(link);
  header.write(name, 0, 'utf8');
  header.write(octal(entry.mode, 8), 100);
  header.write(octal(entry.uid, 8), 108);
  header.write(octal(entry.gid, 8), 116);
  header.write(octal(sizeOf(entry), 12), 124);
  header.write(octal(0, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write({ copy: '0', text: '0', link: '2', folder: '5' }[entry.kind], 156);
  header.write(link, 157, 'utf8');
  header.write('ustar\u000000', 257);
  header.write(prefix, 345, 'utf8');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148);
  return header;
}

function sizeOf(entry: TreeEntry): number {
  if (entry.kind === 'text') return Buffer.byteLength(entry.content);
  return entry.kind === 'copy' ? entry.bytes : 0;
}

/** Digits, zeros before, and a closing zero byte: `length` bytes in all. */
function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`;
}

/** The name holds 100 bytes, the prefix 155; they part at a slash. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155)
      return { name, prefix };
  }
  throw tooLong(path);
}

function tooLong(path: string): PreflightError {
  return new PreflightError(`a path is too long for an image's archive: ${path}`);
}

/** What fills the last block of a file. */
function padding(bytes: number): Buffer {
  return Buffer.alloc((block - (bytes % block)) % block);
}

async function copyFile(archive: FileHandle, from: string, bytes: number): Promise<void> {
  const source = await open(from, 'r');
  try {
    const chunk = Buffer.alloc(1024 * 1024);
    let copied = 0;
    while (copied < bytes) {
      const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, bytes - copied));
      if (bytesRead === 0) throw new PreflightError(`${from} shrank while it was read`);
      copied += bytesRead;
      await archive.writeFile(chunk.subarray(0, bytesRead));
    }
    await archive.writeFile(padding(bytes));
  } finally {
    await source.close();
  }
}
