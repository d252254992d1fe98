import { DatabaseError } from 'pg';
import type {
  DatabaseProperties,
  DefaultPrivileges,
  Grant,
  SchemaProperties,
} from './database-properties.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { Session } from './session.ts';

const providers: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

/** Creates an empty database with the properties that are fixed at its creation. */
export async function createDatabase(
  maintenance: Session,
  name: string,
  properties: DatabaseProperties,
): Promise<void> {
  const { provider, collate, characterType, locale, icuRules } = properties;
  const clauses = [
    // template1 may hold another locale's data, and somebody may be connected to it.
    'template template0',
    `owner ${quoteIdentifier(properties.owner)}`,
    `encoding ${quoteLiteral(properties.encoding)}`,
    `locale_provider ${providers[provider] ?? 'libc'}`,
    collate && `lc_collate ${quoteLiteral(collate)}`,
    characterType && `lc_ctype ${quoteLiteral(characterType)}`,
    locale && `${provider === 'b' ? 'builtin_locale' : 'icu_locale'} ${quoteLiteral(locale)}`,
    icuRules && `icu_rules ${quoteLiteral(icuRules)}`,
    // To name the default one needs a right on it that nobody else has.
    properties.tablespace !== 'pg_default' && `tablespace ${quoteIdentifier(properties.tablespace)}`,
    `connection limit ${properties.connectionLimit}`,
  ];
  await maintenance.query(`create database ${quoteIdentifier(name)} ${clauses.filter(Boolean).join(' ')}`);
}

/**
 * Reproduces, inside the new database, what the old one had besides its migrations: grants on it, settings, default
 * privileges, the schema `public` and the schema of the tracking tables. Returns what this role was not allowed to.
 */
export async function reproduceInside(
  session: Session,
  properties: DatabaseProperties,
  trackingSchema: string,
): Promise<string[]> {
  return attempting(session, async (attempt) => {
    await reproduceSettings(session, properties, attempt);
    for (const [what, texts] of schemaTexts(properties, trackingSchema)) await attempt(what, texts);
    for (const entry of properties.defaultPrivileges) {
      // A schema that a migration makes is not there yet; so are its default privileges made by a migration.
      const known =
        entry.schema === undefined || entry.schema === 'public' || entry.schema === trackingSchema;
      if (known) await attempt(`default privileges of ${entry.role}`, defaultPrivilegeTexts(entry));
    }
  });
}

/** The part of it that no dump holds: grants on the database itself, its comment and its settings. */
export async function reproduceOutside(session: Session, properties: DatabaseProperties): Promise<string[]> {
  return attempting(session, (attempt) => reproduceSettings(session, properties, attempt));
}

type Attempt = (what: string, texts: readonly string[]) => Promise<void>;

/** Runs `work` in one transaction, and returns what Postgres refused of it. */
async function attempting(session: Session, work: (attempt: Attempt) => Promise<void>): Promise<string[]> {
  const missed: string[] = [];
  await session.query('begin');
  await work(async (what, texts) => {
    await session.query('savepoint attempt');
    try {
      for (const text of texts) await session.query(text);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      await session.query('rollback to savepoint attempt');
      missed.push(`${what}: ${error.message}`);
    }
  });
  await session.query('commit');
  return missed;
}

async function reproduceSettings(
  session: Session,
  properties: DatabaseProperties,
  attempt: Attempt,
): Promise<void> {
  for (const [what, texts] of outsideTexts(session.parameters.database, properties))
    await attempt(what, texts);
}

/**
 * What reproduces, for the database `name`, what no copy of a database has: its grants, its comment and its settings. Each with
 * what it is; its texts belong into one transaction, from whichever database.
 */
export function outsideTexts(
  name: string,
  { grants, owner, comment, settings }: DatabaseProperties,
): (readonly [what: string, texts: readonly string[]])[] {
  const database = quoteIdentifier(name);
  return [
    ...(grants === undefined
      ? []
      : ([['its grants', grantTexts(`database ${database}`, owner, grants)]] as const)),
    ...(comment === undefined
      ? []
      : ([['its comment', [`comment on database ${database} is ${quoteLiteral(comment)}`]]] as const)),
    ...settings.map(({ role, name: setting, value }) => {
      const subject =
        role === undefined
          ? `alter database ${database}`
          : `alter role ${quoteIdentifier(role)} in database ${database}`;
      // FROM CURRENT, because a list such as search_path is quoted by other rules than a string.
      const texts = [
        `select set_config(${quoteLiteral(setting)}, ${quoteLiteral(value)}, true)`,
        `${subject} set ${quoteIdentifier(setting)} from current`,
      ];
      return [`the setting ${setting}`, texts] as const;
    }),
  ];
}

function schemaTexts({ schemas }: DatabaseProperties, trackingSchema: string): [string, string[]][] {
  const texts: [string, string[]][] = [];
  if (!schemas.some(({ name }) => name === 'public'))
    texts.push(['no schema public', ['drop schema public']]);
  for (const schema of schemas) {
    if (schema.name !== 'public' && schema.name !== trackingSchema) continue;
    const quoted = quoteIdentifier(schema.name);
    if (schema.name !== 'public') texts.push([`the schema ${schema.name}`, [`create schema ${quoted}`]]);
    if (schema.owner !== 'pg_database_owner') {
      const owner = [`alter schema ${quoted} owner to ${quoteIdentifier(schema.owner)}`];
      texts.push([`the owner of the schema ${schema.name}`, owner]);
    }
    texts.push([`grants on the schema ${schema.name}`, schemaGrantTexts(schema)]);
    if (schema.comment !== undefined) {
      const comment = [`comment on schema ${quoted} is ${quoteLiteral(schema.comment)}`];
      texts.push([`the comment of the schema ${schema.name}`, comment]);
    }
  }
  return texts;
}

function schemaGrantTexts({ name, owner, grants }: SchemaProperties): string[] {
  return grants === undefined ? [] : grantTexts(`schema ${quoteIdentifier(name)}`, owner, grants);
}

/** Takes away what is there by default, then grants what is wanted. */
function grantTexts(object: string, owner: string, grants: readonly Grant[]): string[] {
  return [
    `revoke all on ${object} from public, ${quoteIdentifier(owner)}`,
    ...grants.map(({ grantee, privilege, grantable }) => {
      return `grant ${privilege} on ${object} to ${grantee}${grantable ? ' with grant option' : ''}`;
    }),
  ];
}

function defaultPrivilegeTexts({ role, schema, objects, grants }: DefaultPrivileges): string[] {
  const owner = quoteIdentifier(role);
  const alter = `alter default privileges for role ${owner}${schema === undefined ? '' : ` in schema ${quoteIdentifier(schema)}`}`;
  // Without a schema the entry replaces the built-in default, with one it adds to it.
  const revoke = schema === undefined ? [`${alter} revoke all on ${objects} from public, ${owner}`] : [];
  return [
    ...revoke,
    ...grants.map(({ grantee, privilege, grantable }) => {
      return `${alter} grant ${privilege} on ${objects} to ${grantee}${grantable ? ' with grant option' : ''}`;
    }),
  ];
}
