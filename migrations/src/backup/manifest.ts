/** What is known of a backup, beside its dump in a file of its own. Without one a dump was not finished. */
export interface Manifest {
  readonly format: 1;
  readonly database: string;
  readonly service: string | null;
  /** An incremental one has the whole schema, and the rows of the tables that a plan touches. */
  readonly kind: 'full' | 'incremental';
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** The version of the schema; null for none. */
  readonly version: string | null;
  /** As Postgres tells, as in `15.20`. */
  readonly serverVersion: string;
  readonly pgDumpVersion: string;
  /** The file of the dump, in the folder of this one. */
  readonly dump: string;
  readonly bytes: number;
  readonly sha256: string;
  /** SHA-256 of the schema. */
  readonly fingerprint: string;
  /** Rows by table, as quoted for SQL; of every table, also those whose rows are not in the dump. */
  readonly rows: Readonly<Record<string, number>>;
  /** The tables whose rows are not in the dump. */
  readonly withoutRows: readonly string[];
  /** What the role that took it may not read, and is not in the dump at all; absent when there is none such. */
  readonly closed?: readonly string[];
  /** When it was restored into a scratch database and found equal; null when it was not tried. */
  readonly verifiedAt: string | null;
}

/** Whether it can take the place of a database: it lacks nothing that was there. */
export function isWhole({ withoutRows, closed = [] }: Manifest): boolean {
  return withoutRows.length + closed.length === 0;
}

/** Reads a manifest's text; undefined when it is none. */
export function parseManifest(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isManifest(value) ? value : undefined;
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const texts = ['database', 'createdAt', 'serverVersion', 'pgDumpVersion', 'dump', 'sha256', 'fingerprint'];
  const rows = fields.get('rows');
  const withoutRows = fields.get('withoutRows');
  return (
    fields.get('format') === 1 &&
    texts.every((name) => typeof fields.get(name) === 'string') &&
    // A name with a folder in it would lead elsewhere.
    /^[A-Za-z0-9._-]+\.dump$/.test(String(fields.get('dump'))) &&
    ['full', 'incremental'].includes(String(fields.get('kind'))) &&
    ['service', 'version', 'verifiedAt'].every((name) => isTextOrNull(fields.get(name))) &&
    Number.isSafeInteger(fields.get('bytes')) &&
    typeof rows === 'object' &&
    rows !== null &&
    Object.values(rows).every((count) => Number.isSafeInteger(count)) &&
    isListOfText(withoutRows) &&
    (fields.get('closed') === undefined || isListOfText(fields.get('closed')))
  );
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}
