import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { SeedFileError } from './errors.ts';

/** A CSV file whose header was read: the columns, and the rows behind it as they are. */
export interface OpenCsv {
  readonly columns: readonly string[];
  readonly rows: Readable;
}

/** A header is one line; this is more than any table has columns for. */
const longestHeader = 256 * 1024;

/**
 * Reads the header of a CSV file (RFC 4180: commas, quotes doubled inside quotes, any line ending, a byte order mark is dropped) and
 * opens the rest as a stream. The rows themselves are read by Postgres.
 *
 * @throws {SeedFileError} exit status 3
 */
export async function openCsv(path: string, shown: string): Promise<OpenCsv> {
  const file = createReadStream(path);
  const fail = (rule: string): never => {
    file.destroy();
    throw new SeedFileError(shown, 'line 1', rule);
  };
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  let end = -1;
  while (end === -1) {
    const { value, done } = await chunks.next();
    if (done === true) {
      end = head.length;
      break;
    }
    head = Buffer.concat([head, value]);
    end = endOfHeader(head);
    if (end === -1 && head.length > longestHeader) fail('has no header that ends');
  }
  let header: string;
  try {
    header = new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, end));
  } catch {
    return fail('is not UTF-8');
  }
  const columns = parseHeader(header.replace(/[\r\n]+$/, ''));
  if (typeof columns === 'string') return fail(columns);
  const rest = head.subarray(end);
  const rows = Readable.from(
    (async function* () {
      yield withoutNul(rest, shown);
      for (;;) {
        const { value, done } = await chunks.next();
        if (done === true) return;
        yield withoutNul(value, shown);
      }
    })(),
  );
  return { columns, rows };
}

/** Behind the line ending of the header; -1 when it is not there yet. */
function endOfHeader(bytes: Buffer): number {
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) quoted = !quoted;
    if (quoted) continue;
    if (byte === 0x0a) return at + 1;
    // A lone CR ends a line too; whether an LF follows must be known.
    if (byte === 0x0d && at + 1 < bytes.length) return bytes[at + 1] === 0x0a ? at + 2 : at + 1;
  }
  return -1;
}

/** The names, or the rule that the header breaks. */
export function parseHeader(line: string): string[] | string {
  const names: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  while (field.lastIndex <= line.length) {
    const match = field.exec(line);
    if (match === null) return 'has a quote where none can be';
    names.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') break;
  }
  if (names.some((name) => name === '')) return 'has a column without a name';
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? names : `names the column ${twice} twice`;
}

function withoutNul(chunk: Buffer, shown: string): Buffer {
  if (!chunk.includes(0)) return chunk;
  throw new SeedFileError(shown, undefined, 'has a NUL byte, which no text in Postgres can hold');
}
