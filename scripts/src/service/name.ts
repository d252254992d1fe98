import { UsageError } from '../errors.ts';

/** A service to be added, and everything that is named after it. */
export interface NewService {
  /** `billing-api`: its folder, its app in compose.yaml, its image, its entries in Vault. */
  readonly name: string;
  /** `billing`: its database; its roles are `billing_migrator` and `billing_app`. */
  readonly database: string;
  /** `billingApi`: what its TypeScript calls it. */
  readonly identifier: string;
  /** `BILLING_API_PORT`: the setting of its published port. */
  readonly portSetting: string;
  /** `BILLING-SCHEMA.md`: the file of its specification. */
  readonly specification: string;
}

/** The longest that the bootstrap takes; with `-migrations` a compose service is still one DNS label (63). */
const longestName = 40;
/** A recreate keeps `<database>__before_20250102T030405`, and Postgres cuts names at 63 bytes. */
const longestDatabase = 39;

const form = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Folders and programs of the project itself, and folders that git and docker leave out. */
const reserved = [
  ...['foundation', 'chassis', 'scripts', 'migrations', 'vault', 'test', 'bench', 'docs', 'deploy'],
  ...['migrate', 'bootstrap', 'stack', 'dev-vault', 'vault-bootstrap', 'supervisor'],
  ...['dist', 'coverage', 'postgres'],
];

/** Of every server; and a role that begins with `pg_` is one that Postgres keeps for itself. */
const reservedDatabase = /^(postgres|template[01]|pg_.*)$/;

/**
 * Reads the name of a new service.
 *
 * @throws {UsageError} listing every rule that it breaks, with the nearest name that breaks none
 */
export function readServiceName(text: string): NewService {
  if (text.trim() === '') {
    throw new UsageError('a new service needs a name', { hint: 'make service NAME=billing-api' });
  }
  const broken = brokenRules(text);
  if (broken.length === 0) return describe(text);
  const near = nearestName(text);
  throw new UsageError(`${shown(text)} cannot be the name of a service`, {
    evidence: broken,
    ...(near === undefined ? {} : { hint: `make service NAME=${near}` }),
  });
}

/** `billing-api` and `billing` both have the database `billing`. */
export function databaseOf(name: string): string {
  return name.replace(/-api$/, '').replaceAll('-', '_');
}

/** `BILLING_API_PORT` for `billing-api`. */
export function portSettingOf(name: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_PORT`;
}

function describe(name: string): NewService {
  const database = databaseOf(name);
  const camel = database.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return {
    name,
    database,
    // Never a bare word of the name: that could be one of the language's own.
    identifier: `${camel}Api`,
    portSetting: portSettingOf(name),
    specification: `${name.replace(/-api$/, '').toUpperCase()}-SCHEMA.md`,
  };
}

function brokenRules(name: string): string[] {
  const broken: string[] = [];
  if (!form.test(name)) {
    broken.push('expected lower-case letters and digits joined by single hyphens, beginning with a letter');
  }
  if (name.length > longestName)
    broken.push(`expected at most ${longestName} characters, got ${name.length}`);
  if (broken.length > 0) return broken;
  const database = databaseOf(name);
  if (database.length > longestDatabase) {
    broken.push(
      `its database ${database} would have ${database.length} bytes, and ${longestDatabase} is the most: ` +
        'a recreate keeps the old one as <database>__before_<time>, and Postgres cuts names at 63',
    );
  }
  if (reserved.includes(name)) broken.push('the project itself uses that name');
  else if (reservedDatabase.test(database)) broken.push(`its database ${database} is one of Postgres' own`);
  if (name.endsWith('-migrations'))
    broken.push('a name that ends in -migrations is that of an init container');
  return broken;
}

/** What was probably meant, when that is a name. */
function nearestName(text: string): string | undefined {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, longestName)
    .replace(/-+$/, '');
  return name !== '' && name !== text && brokenRules(name).length === 0 ? name : undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
