import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@lockstep/foundation';
import type { Statement } from '../migration.ts';
import type { Tree } from './tree.ts';

/** What Postgres' own parser makes of one statement. */
export type Parsed =
  | { readonly tree: Tree }
  /** `offset` is where it stumbled, in UTF-16 code units from the statement's beginning. */
  | { readonly mistake: string; readonly offset: number }
  /** Not parsed: its size alone would take more memory than a check is worth. */
  | { readonly tooLarge: true };

/** The WebAssembly of the parser is not beside the program, as where the program alone was copied. */
export class ParserMissingError extends Failure {
  constructor() {
    super("Postgres' parser is not here: libpg-query.wasm belongs beside the program", {
      code: 'parser-missing',
      exitStatus: 3,
      hint: 'npm run build -- migrate',
    });
  }
}

/** Longer statements, such as a bulk INSERT, are not parsed: their tree takes about a hundred times their size. */
export const longestParsed = 512 * 1024;

declare const LOCKSTEP_VERSION: string;
declare const __dirname: string;

/**
 * Loads the parser, Postgres 18's compiled to WebAssembly; once for a process, about 50 ms.
 *
 * @throws {ParserMissingError} exit status 3
 */
export async function loadParser(): Promise<(statement: Pick<Statement, 'text'>) => Parsed> {
  // The library begins to load its WebAssembly when it is imported, and where that is missing nobody could catch it.
  const isBuilt = typeof LOCKSTEP_VERSION === 'string';
  if (isBuilt && !existsSync(join(__dirname, 'libpg-query.wasm'))) throw new ParserMissingError();
  const library = await import('libpg-query');
  await library.loadModule();
  return (statement) => parseStatement(library, statement);
}

function parseStatement(
  { parseSync, hasSqlDetails }: typeof import('libpg-query'),
  { text }: Pick<Statement, 'text'>,
): Parsed {
  if (text.length > longestParsed) return { tooLarge: true };
  try {
    const [first, ...others] = parseSync(text).stmts ?? [];
    if (first?.stmt === undefined) return { mistake: 'has no statement', offset: 0 };
    // Our own splitting disagrees with Postgres'; whoever reads on would judge only a part of it.
    if (others.length > 0) return { mistake: 'is several statements', offset: others[0]?.stmt_location ?? 0 };
    return { tree: first.stmt };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
    return { mistake: message, offset: offsetOfCharacter(text, position) };
  }
}

/** The parser counts characters (code points) in errors. */
function offsetOfCharacter(text: string, characters: number): number {
  let offset = 0;
  for (let seen = 0; seen < characters && offset < text.length; seen++) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** In its trees it counts bytes of UTF-8. */
export function offsetOfByte(text: string, bytes: number): number {
  let offset = 0;
  for (let seen = 0; seen < bytes && offset < text.length; ) {
    const code = text.codePointAt(offset) ?? 0;
    seen += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    offset += code > 0xffff ? 2 : 1;
  }
  return offset;
}
