import { type LineComment, lineCommentsOf } from './comments.ts';

/** Whose marker it is; `lockstep` for our own, `nobody` for a heading such as `-- down` that no tool reads. */
export type MarkerTool =
  | 'dbmate'
  | 'goose'
  | 'sql-migrate'
  | 'node-pg-migrate'
  | 'tern'
  | 'micrate'
  | 'rambler'
  | 'MyBatis Migrations'
  | 'Play'
  | 'shmig'
  | 'sqlx'
  | 'graphile-migrate'
  | 'Atlas'
  | 'lockstep'
  | 'nobody';

/**
 * What a marker says: what follows it is the way up, or down; the file (or what follows) runs outside a transaction; a `;`
 * between begin and end ends no statement; variables of the environment are put in from here, or no more. `unknown` is a
 * marker by its form, such as `-- +goose Foo`.
 */
export type MarkerKind =
  | 'up'
  | 'down'
  | 'no transaction'
  | 'statement begin'
  | 'statement end'
  | 'substitution on'
  | 'substitution off'
  | 'unknown';

/** A comment that commands a migrator. */
export interface Marker {
  readonly tool: MarkerTool;
  readonly kind: MarkerKind;
  /** Of the comment's first dash, in UTF-16 code units. */
  readonly offset: number;
  /** The comment, as written. */
  readonly text: string;
  /** Whether no statement follows, nor the rest of one. */
  readonly last: boolean;
  /** False for what may as well be prose, such as `-- Down migration: see the other file` and a heading of nobody's. */
  readonly certain: boolean;
}

type Found = Pick<Marker, 'tool' | 'kind'> & { readonly certain?: boolean };

/** Only a text with such a comment is looked at token by token. */
const candidate =
  /--[^\r\n]*(?:up|down|undo|rollback|roll back|revert|transaction|txmode|drop below|goose|migrate|micrate|rambler)/i;

/** Dashes and blank space of any kind, a byte order mark and what has no width included. */
const lead = /^[-\s\u200b-\u200d\u2060\ufeff]+/;

/**
 * Finds the markers of other migrators, and our own, in the line comments of an SQL text: by any case and spacing, wherever
 * on its line the comment begins. What stands in quotes, dollar quotes or block comments is none. One comment may be two
 * markers: `-- migrate:up transaction:false`.
 *
 * Sources: dbmate `pkg/dbmate/migration.go`; goose `internal/sqlparser/parser.go`; sql-migrate `sqlparse/sqlparse.go`;
 * node-pg-migrate `src/sqlMigration.ts`; tern `migrate/migrate.go`; the others' documents.
 */
export function markersOf(text: string): Marker[] {
  if (!candidate.test(text)) return [];
  return lineCommentsOf(text).flatMap((comment) => readMarkers(comment));
}

function readMarkers({ offset, text, last }: LineComment): Marker[] {
  const words = text.replace(lead, '').trimEnd();
  const place = { offset, text: text.trimEnd(), last };
  const found = dbmate(words) ?? plus(words) ?? others(words, offset) ?? headings(words) ?? [];
  return found.map(({ tool, kind, certain }) => ({ tool, kind, ...place, certain: certain ?? true }));
}

function dbmate(words: string): Found[] | undefined {
  const [, direction, options = ''] = /^migrate\s*:\s*(up|down)\b(.*)$/i.exec(words) ?? [];
  if (direction === undefined) return undefined;
  const tool = 'dbmate';
  return [
    { tool, kind: directionOf(direction) },
    ...noTransaction(tool, /\btransaction\s*:\s*false\b/i, options),
  ];
}

const plusTools: Readonly<Record<string, MarkerTool>> = {
  goose: 'goose',
  migrate: 'sql-migrate',
  micrate: 'micrate',
  rambler: 'rambler',
};

/** `-- +goose Up` and its like. Without the plus only a whole comment counts: `-- migrate down the rows` is prose. */
function plus(words: string): Found[] | undefined {
  const [, sign, name = '', rest = ''] =
    /^(\+?)\s*(goose|migrate|micrate|rambler)\b\s*(.*)$/i.exec(words) ?? [];
  const tool = plusTools[name.toLowerCase()];
  if (tool === undefined) return undefined;
  const [, direction, options = ''] = /^(up|down)\b(.*)$/i.exec(rest) ?? [];
  if (sign === '') {
    return direction === undefined || options.trim() !== ''
      ? undefined
      : [{ tool, kind: directionOf(direction) }];
  }
  if (direction !== undefined)
    return [
      { tool, kind: directionOf(direction) },
      ...noTransaction(tool, /\bno\s*-?\s*transaction\b/i, options),
    ];
  return [{ tool, kind: commandOf(rest) }];
}

function commandOf(words: string): MarkerKind {
  if (/^no\s*-?\s*transaction\b/i.test(words)) return 'no transaction';
  if (/^statement\s*begin\b/i.test(words)) return 'statement begin';
  if (/^statement\s*end\b/i.test(words)) return 'statement end';
  const [, turned] = /^env\s*sub(?:st)?\s+(on|off)\b/i.exec(words) ?? [];
  if (turned === undefined) return 'unknown';
  return turned.toLowerCase() === 'on' ? 'substitution on' : 'substitution off';
}

/** What is recognised by its whole form. */
function others(words: string, offset: number): Found[] | undefined {
  for (const [pattern, tool, kind] of fixed) if (pattern.test(words)) return [{ tool, kind }];
  // sqlx reads it at the very beginning of a file, and nowhere else.
  if (offset === 0 && /^no-transaction\b/i.test(words)) return [{ tool: 'sqlx', kind: 'no transaction' }];
  return undefined;
}

const fixed: readonly (readonly [RegExp, MarkerTool, MarkerKind])[] = [
  [/^lockstep\s*:\s*no[-\s]*transaction\b/i, 'lockstep', 'no transaction'],
  [/^!\s*no-transaction\b/i, 'graphile-migrate', 'no transaction'],
  [/^atlas\s*:\s*txmode\s+none\b/i, 'Atlas', 'no transaction'],
  [/^create\s+above\s*\/\s*drop\s+below\b/i, 'tern', 'down'],
  [/^\/\/\s*@undo\b/i, 'MyBatis Migrations', 'down'],
  [/^!\s*ups\b/i, 'Play', 'up'],
  [/^!\s*downs\b/i, 'Play', 'down'],
  [/^=+\s*up\s*=+$/i, 'shmig', 'up'],
  [/^=+\s*down\s*=+$/i, 'shmig', 'down'],
];

/** `-- Down Migration`, and headings as people write them who have no tool for it. */
function headings(words: string): Found[] | undefined {
  const [, direction, rest = ''] = /^(up|down)\s+migration\b(.*)$/i.exec(words) ?? [];
  if (direction !== undefined)
    return [{ tool: 'node-pg-migrate', kind: directionOf(direction), certain: !/[\p{L}\p{N}]/u.test(rest) }];
  const [, heading] =
    /^[^\p{L}\p{N}]*(\p{L}+(?: back)?)(?: (?:migration|script|sql|part|section))?[^\p{L}\p{N}]*$/iu.exec(
      words,
    ) ?? [];
  if (heading === undefined) return undefined;
  const kind = headingKinds[heading.toLowerCase()];
  return kind === undefined ? undefined : [{ tool: 'nobody', kind, certain: false }];
}

const headingKinds: Readonly<Record<string, MarkerKind>> = {
  up: 'up',
  upgrade: 'up',
  down: 'down',
  downgrade: 'down',
  undo: 'down',
  revert: 'down',
  rollback: 'down',
  'roll back': 'down',
};

function noTransaction(tool: MarkerTool, pattern: RegExp, options: string): Found[] {
  return pattern.test(options) ? [{ tool, kind: 'no transaction' }] : [];
}

function directionOf(word: string): 'up' | 'down' {
  return word.toLowerCase() === 'down' ? 'down' : 'up';
}
