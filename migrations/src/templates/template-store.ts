import { DatabaseError } from 'pg';
import { templateName, templatePattern } from '../database-names.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import type { Session } from '../session.ts';

/** A database that others are copied from. */
export interface Template {
  readonly name: string;
  /** See template-key.ts. */
  readonly key: string;
  /** When it was last made or copied; ISO 8601. */
  readonly usedAt: string;
  /** The key of what it was copied for when more migrations were run on top; not worth a template the first time. */
  readonly wished: string | undefined;
}

/**
 * The templates of `database`, the last used first. What has no readable note, or is invalid, is no template: a run that was
 * killed left it, and it is dropped here.
 */
export async function findTemplates(
  maintenance: Session,
  database: string,
  kind: 'template' | 'testing' = 'template',
): Promise<Template[]> {
  const rows = await maintenance.query(
    `select datname, datconnlimit = -2 as invalid, shobj_description(oid, 'pg_database') as note from pg_database
     where datname ~ $1 and pg_has_role(current_user, datdba, 'USAGE')`,
    [templatePattern(database, kind)],
  );
  const templates: Template[] = [];
  for (const { datname, invalid, note } of rows) {
    const name = String(datname);
    // An interrupted DROP DATABASE leaves the note, and nothing that could be copied.
    const read = invalid === true ? undefined : readNote(note);
    if (read === undefined) await dropTemplate(maintenance, name);
    else templates.push({ name, ...read });
  }
  return templates.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
}

/** What a template is made of. */
export interface TemplateContents {
  readonly database: string;
  /** Copied; no session may be in it. */
  readonly source: string;
  readonly owner: string;
  readonly key: string;
}

/** Makes a template; nobody can connect to it, and it counts once its note is written. */
export async function makeTemplate(maintenance: Session, contents: TemplateContents): Promise<void> {
  for (const text of templateTexts(contents)) await maintenance.query(text);
}

/** The same as SQL, each text a query of its own. */
export function templateTexts({ database, source, owner, key }: TemplateContents): string[] {
  const name = templateName(database, key);
  return [
    `drop database if exists ${quoteIdentifier(name)}`,
    copyText(source, name, `owner ${quoteIdentifier(owner)} allow_connections false`),
    `revoke all on database ${quoteIdentifier(name)} from public; ${noteText({ name, key, wished: undefined })}`,
  ];
}

/** @param clauses of CREATE DATABASE */
export function copyText(source: string, name: string, clauses: string): string {
  return `create database ${quoteIdentifier(name)} template ${quoteIdentifier(source)} ${clauses}`;
}

function noteText({ name, key, wished }: Pick<Template, 'name' | 'key' | 'wished'>): string {
  const note = JSON.stringify({ template: key, used: new Date().toISOString(), wished });
  return `comment on database ${quoteIdentifier(name)} is ${quoteLiteral(note)}`;
}

/** Notes that a template was used just now, so that it is not the next one to go. */
export async function noteUse(
  maintenance: Session,
  { name, key, wished }: Pick<Template, 'name' | 'key' | 'wished'>,
): Promise<void> {
  await maintenance.query(noteText({ name, key, wished }));
}

/** Drops the templates of `database` that were not used for longest, until the others fit into `bytes`. Returns their names. */
export async function keepWithin(maintenance: Session, database: string, bytes: number): Promise<string[]> {
  const dropped: string[] = [];
  let sum = 0;
  for (const { name } of await findTemplates(maintenance, database)) {
    const [row] = await maintenance.query('select pg_database_size($1)::text as bytes', [name]);
    sum += Number(row?.['bytes']);
    if (sum <= bytes) continue;
    if (await dropTemplate(maintenance, name)) dropped.push(name);
  }
  return dropped;
}

/** The names of the copies that were made beforehand; invalid ones are dropped. */
export async function findSpares(maintenance: Session, database: string): Promise<string[]> {
  const rows = await maintenance.query(
    `select datname, datconnlimit = -2 as invalid from pg_database
     where datname ~ $1 and pg_has_role(current_user, datdba, 'USAGE')`,
    [templatePattern(database, 'spare')],
  );
  for (const { datname, invalid } of rows)
    if (invalid === true) await dropTemplate(maintenance, String(datname));
  return rows.filter(({ invalid }) => invalid !== true).map(({ datname }) => String(datname));
}

/** False when somebody is copying it just now. */
export async function dropTemplate(maintenance: Session, name: string): Promise<boolean> {
  try {
    await maintenance.query(`drop database if exists ${quoteIdentifier(name)}`);
    return true;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return false;
  }
}

function readNote(note: unknown): Omit<Template, 'name'> | undefined {
  try {
    const { template, used, wished } = Object(JSON.parse(String(note))) as Record<string, unknown>;
    if (typeof template === 'string' && typeof used === 'string')
      return { key: template, usedAt: used, wished: typeof wished === 'string' ? wished : undefined };
  } catch {
    // Not ours.
  }
  return undefined;
}
