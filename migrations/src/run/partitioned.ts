import type { Statement } from '../migration.ts';
import type { Session } from '../session.ts';
import { TokenReader } from '../tokens.ts';

const mayBePartitioned = /^(reindex|cluster)\b/i;

/**
 * Marks each REINDEX and CLUSTER of a partitioned table or index, which commits after each partition and so runs alone
 * (SQLSTATE 25001 otherwise). Only the catalog knows which are: it is asked where there is such a statement, and one
 * that the same file makes is not there yet. Between BEGIN and COMMIT of a file nothing is marked.
 *
 * @param before called before the catalog is asked
 */
export async function markPartitioned(
  session: Session,
  statements: readonly Statement[],
  before: () => Promise<void> = async () => {},
): Promise<readonly Statement[]> {
  const asked = statements.filter(
    ({ text, outsideTransaction }) => outsideTransaction === undefined && mayBePartitioned.test(text),
  );
  if (asked.length === 0 || statements.some(({ control }) => control !== undefined)) return statements;
  await before();
  const marks = new Map<Statement, string>();
  for (const statement of asked) {
    const { words, name } = readTarget(statement.text);
    if (name === undefined) continue;
    const [row] = await session.query(
      "select relkind in ('p', 'I') as partitioned from pg_class where oid = to_regclass($1)",
      [name],
    );
    if (row?.['partitioned'] === true) marks.set(statement, `${words} of a partitioned table`);
  }
  return statements.map((statement) => {
    const words = marks.get(statement);
    return words === undefined ? statement : { ...statement, outsideTransaction: words };
  });
}

/** `REINDEX [(…)] {TABLE | INDEX} name`, `CLUSTER [VERBOSE | (…)] name [USING index]`, `CLUSTER index ON name`. */
function readTarget(text: string): { words: string; name: string | undefined } {
  const reader = new TokenReader(text);
  reader.next();
  const words = reader.spelling().toUpperCase();
  let depth = 0;
  let name = '';
  let ended = false;
  while (reader.next()) {
    const written = text.slice(reader.start, reader.end);
    const word = reader.kind === 'word' ? reader.spelling() : '';
    if (written === '(') depth += 1;
    else if (written === ')') depth -= 1;
    else if (depth > 0 || (name === '' && ['table', 'index', 'verbose'].includes(word))) continue;
    else if (word === 'on') {
      name = '';
      ended = false;
    } else if (ended) break;
    else if (name === '' || name.endsWith('.') || written === '.') name += written;
    else ended = true;
  }
  return { words, name: name === '' ? undefined : name };
}
