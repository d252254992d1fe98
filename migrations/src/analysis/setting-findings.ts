import type { Migration, SqlFile, Statement } from '../migration.ts';
import type { Located } from './analyse.ts';
import type { Finding } from './finding.ts';
import { LineIndex } from './line-index.ts';
import { offsetOfByte, type Parsed } from './parser.ts';
import { droppedNames, pick, type Tree, walk, wordsOf } from './tree.ts';

type Parse = (statement: Pick<Statement, 'text'>) => Parsed;

/** Only a folder with one of these is read a second time. */
const settles = /\bset\b[^;]*\b(search_path|schema)\b|\bset_config\b|\b(temp|temporary)\b/i;

/**
 * What a file takes for granted that an earlier one left in its session: names without a schema behind a SET search_path,
 * and temporary tables. Each file begins anew here, while another tool may run several in one session.
 *
 * @param migrations ascending by version
 */
export function settingFindings(migrations: readonly Migration[], parse: Parse): Located[] {
  if (!migrations.some(({ up }) => settles.test(up.text))) return [];
  const findings: Located[] = [];
  let path: { readonly from: SqlFile; readonly to: string } | undefined;
  const temporary = new Map<string, SqlFile>();
  const kept = new Set<string>();
  for (const { up } of migrations) {
    const own = new Set<string>();
    const before = path;
    let isFound = false;
    let isSet = false;
    for (const statement of up.statements) {
      const setting = pathSetting(statement.text);
      if (setting !== undefined) {
        isSet = true;
        path = setting.to === undefined ? undefined : { from: up, to: setting.to };
        continue;
      }
      const parsed = parse(statement);
      if (!('tree' in parsed)) continue;
      for (const name of unqualified(parsed.tree)) {
        if (name.isMade && name.isTemporary) own.add(name.name);
        else if (name.isMade) kept.add(name.name);
        if (isFound || own.has(name.name)) continue;
        const maker = kept.has(name.name) ? undefined : temporary.get(name.name);
        if (maker === undefined && (before === undefined || isSet)) continue;
        isFound = true;
        const at = statement.offset + offsetOfByte(statement.text, name.location);
        const place = new LineIndex(up.text).place(at);
        findings.push({
          ...(maker === undefined ? unset(name.name, before) : gone(name.name, maker)),
          path: up.path,
          place,
          statement,
        });
      }
    }
    for (const name of own) temporary.set(name, up);
  }
  return findings;
}

type Words = Pick<Finding, 'code' | 'severity' | 'message' | 'fix'>;

function unset(name: string, before: { readonly from: SqlFile; readonly to: string } | undefined): Words {
  return {
    code: 'search-path-not-kept',
    severity: 'warning',
    message: `${name} has no schema, and ${before?.from.name} sets search_path to ${before?.to}: a setting ends with its file`,
    fix: 'the SET in this file too, or the schema before the name',
  };
}

function gone(name: string, maker: SqlFile): Words {
  return {
    code: 'temp-table-not-kept',
    severity: 'warning',
    message: `${name} is a temporary table of ${maker.name}, which ends with that file`,
    fix: 'both in one file, or a table that is dropped at the end',
  };
}

/** What a statement sets search_path to; `to` is undefined for what names without a schema are found by anyway. */
function pathSetting(text: string): { readonly to: string | undefined } | undefined {
  if (/^reset\s+(search_path|all)\b/i.test(text)) return { to: undefined };
  const [, set] = /^set\s+(?:session\s+)?(?:search_path\s*(?:=|\bto\b)|schema\b)\s*(.*)$/is.exec(text) ?? [];
  const [, called] =
    /^select\s+(?:pg_catalog\.)?set_config\s*\(\s*'search_path'\s*,\s*'([^']*)'\s*,\s*false\s*\)/i.exec(
      text,
    ) ?? [];
  const value = set ?? called;
  if (value === undefined) return undefined;
  const schemas = value.split(',').map((schema) => schema.trim().replace(/^(['"])(.*)\1$/, '$2'));
  const other = schemas.some(
    (schema) => !['', '$user', 'public', 'pg_catalog', 'default'].includes(schema.toLowerCase()),
  );
  return { to: other ? schemas.join(', ') : undefined };
}

interface Name {
  readonly name: string;
  /** In bytes. */
  readonly location: number;
  readonly isMade: boolean;
  readonly isTemporary: boolean;
}

/** The names without a schema of what a statement makes, uses or drops, first things first. */
function unqualified(tree: Tree): Name[] {
  const names: Name[] = [];
  const common = new Set<unknown>();
  const made = madeBy(tree);
  for (const node of walk(tree)) {
    if ('ctename' in node) common.add(node['ctename']);
    const { relname, schemaname, location } = node;
    if (typeof relname !== 'string' || schemaname !== undefined || relname.startsWith('pg_')) continue;
    names.push({
      name: relname,
      location: typeof location === 'number' ? location : 0,
      isMade: made?.relname === relname,
      isTemporary: node['relpersistence'] === 't',
    });
  }
  for (const parts of [...droppedNames(pick(tree, 'DropStmt')?.objects), ...definedBy(tree)]) {
    const [name, ...more] = parts;
    if (name !== undefined && more.length === 0)
      names.push({ name, location: 0, isMade: false, isTemporary: false });
  }
  return names.filter(({ name }) => !common.has(name)).sort((a, b) => a.location - b.location);
}

function madeBy(tree: Tree) {
  return (
    pick(tree, 'CreateStmt')?.relation ??
    pick(tree, 'CreateTableAsStmt')?.into?.rel ??
    pick(tree, 'ViewStmt')?.view
  );
}

/** Functions, enums and domains that a statement makes. */
function definedBy(tree: Tree): string[][] {
  const lists = [
    pick(tree, 'CreateFunctionStmt')?.funcname,
    pick(tree, 'CreateEnumStmt')?.typeName,
    pick(tree, 'CreateDomainStmt')?.domainname,
  ];
  return lists.flatMap((list) => (list === undefined ? [] : [wordsOf(list)]));
}
