import { dollar, dot, doubleQuote } from './characters.ts';
import { UnfinishedSqlError } from './file-errors.ts';
import { TokenReader } from './tokens.ts';

/** What an error of Postgres says about what it means; each as the server sends it, most are absent. */
export interface Accusation {
  readonly message: string;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  readonly dataType?: string | undefined;
  readonly table?: string | undefined;
}

/**
 * Collects the names that an error of Postgres names, the narrowest first: its column, its constraint, what its message
 * has in double quotes, then its type and its table. Not its schema, which only says where the table lies.
 *
 * A quoted text behind a colon, as in `invalid input syntax for type integer: "abc"`, is a value and no name.
 */
export function suspectNames({
  message,
  column,
  constraint,
  dataType,
  table,
}: Accusation): readonly string[] {
  // A name may have quotes inside, which the message does not double; its end is what a sentence goes on with.
  const quoted = message.matchAll(/(?<=^|\w )"(.{1,260}?)"(?=[\s,;:.)]|$)/gs);
  const names = [column, constraint, ...[...quoted].map(([, name]) => name), dataType, table];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * Finds the place in a statement that an error without a position means, in UTF-16 code units: where the first of
 * `names` stands that the statement spells exactly once. Undefined when it spells each of them never or several times.
 *
 * Only identifiers count: unquoted ones in lower case, all of them cut to 63 bytes, as Postgres folds and cuts them. A
 * qualified name (`app.users`) counts where it begins. Comments and strings do not count. A body in dollar quotes is
 * looked into only for a name that nothing around it spells: what fails inside a DO is found, and the name of a function
 * is not looked for among the tables that its body uses. Names written as `U&"…"` are not seen.
 */
export function suspectOffset(statement: string, names: readonly string[]): number | undefined {
  const wanted = new Set(names);
  const places = new Map<string, readonly number[]>();
  let passages: readonly Passage[] = [{ text: statement, offset: 0 }];
  for (let depth = 0; depth < deepestBody && passages.length > 0; depth++) {
    const readings = passages.map((passage) => readPassage(passage, wanted));
    for (const name of wanted) {
      const found = readings.flatMap(({ spelled }) => spelled.get(name) ?? []);
      if (found.length > 0 && !places.has(name)) places.set(name, found);
    }
    passages = readings.flatMap(({ bodies }) => bodies);
  }
  const single = names.find((name) => places.get(name)?.length === 1);
  return single === undefined ? undefined : places.get(single)?.[0];
}

/** A body in a body in a body, as in an EXECUTE in a DO. */
const deepestBody = 3;

/** A text to look in, and where it begins in the statement. */
interface Passage {
  readonly text: string;
  readonly offset: number;
}

interface Reading {
  /** Where each wanted name stands; two places of it say as much as all. */
  readonly spelled: ReadonlyMap<string, readonly number[]>;
  readonly bodies: readonly Passage[];
}

function readPassage({ text, offset }: Passage, wanted: ReadonlySet<string>): Reading {
  const spelled = new Map<string, number[]>();
  const bodies: Passage[] = [];
  const note = (name: string, start: number) => {
    if (!wanted.has(name)) return;
    const found = spelled.get(name) ?? [];
    if (found.length < 2) spelled.set(name, [...found, offset + start]);
  };
  const reader = new TokenReader(text);
  // The names to the left of a point, database and schema at most, and whether the point is there.
  let left: readonly { name: string; start: number }[] = [];
  let joined = false;
  try {
    while (reader.next()) {
      const { start } = reader;
      const name = identifierOf(reader);
      if (name !== undefined) {
        note(name, start);
        left = joined ? left.slice(-2).map((part) => ({ ...part, name: `${part.name}.${name}` })) : [];
        for (const path of left) note(path.name, path.start);
        left = [...left, { name, start }];
      }
      joined = reader.symbol() === dot;
      const body = bodyOf(reader);
      if (body !== undefined) bodies.push({ ...body, offset: offset + body.offset });
    }
  } catch (error) {
    // A body need not be SQL; what cannot be read to its end says nothing.
    if (!(error instanceof UnfinishedSqlError)) throw error;
    return { spelled: new Map(), bodies: [] };
  }
  return { spelled, bodies };
}

/** The name that a token spells, undefined when it is no name. Keywords are not told apart from names. */
function identifierOf(reader: TokenReader): string | undefined {
  if (reader.kind === 'word') return cut(reader.spelling());
  if (reader.kind !== 'quoted word' || reader.text.charCodeAt(reader.start) !== doubleQuote) return undefined;
  return cut(reader.spelling().slice(1, -1).replaceAll('""', '"'));
}

/** What stands between the marks of a dollar quote. */
function bodyOf({ kind, text, start, end }: TokenReader): Passage | undefined {
  if (kind !== 'string' || text.charCodeAt(start) !== dollar) return undefined;
  const mark = text.indexOf('$', start + 1) + 1 - start;
  return { text: text.slice(start + mark, end - mark), offset: start + mark };
}

/** Cuts a name to the 63 bytes that Postgres keeps of it, between characters. */
function cut(name: string): string {
  if (name.length <= 21) return name;
  const bytes = Buffer.from(name);
  if (bytes.length <= 63) return name;
  let end = 63;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
