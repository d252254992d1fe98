import type { Catalog, CatalogObject } from './catalog.ts';
import { partsOf, schemaOf } from './names.ts';

/** One privilege of one role, as in `SELECT with grant option`. */
export interface GrantedPrivilege {
  readonly role: string;
  readonly privilege: string;
}

/** What one side grants and the other does not. */
export interface GrantChanges {
  readonly gained: readonly GrantedPrivilege[];
  readonly lost: readonly GrantedPrivilege[];
}

const option = ' with grant option';

/** Reads the property `privileges` of a catalog: `reporter: SELECT, UPDATE; public: SELECT`, without colons for a column. */
export function readGrants(text: string | undefined): GrantedPrivilege[] {
  return (text ?? '').split('; ').flatMap((entry) => {
    const match = /^(.*?):? ((?:[A-Z]+(?: with grant option)?(?:, )?)+)$/s.exec(entry);
    const [, role = '', privileges = ''] = match ?? [];
    return match === null ? [] : privileges.split(', ').map((privilege) => ({ role, privilege }));
  });
}

/** Compares two such texts; a privilege with grant option holds the one without. */
export function compareGrants(expected: string | undefined, found: string | undefined): GrantChanges {
  const [wanted, there] = [readGrants(expected), readGrants(found)];
  return { gained: without(there, wanted), lost: without(wanted, there) };
}

function without(some: readonly GrantedPrivilege[], others: readonly GrantedPrivilege[]) {
  return some.filter((one) => !others.some((other) => holds(other, one)));
}

function holds(held: GrantedPrivilege, { role, privilege }: GrantedPrivilege): boolean {
  return held.role === role && (held.privilege === privilege || held.privilege === privilege + option);
}

/** `SELECT, UPDATE to reporter` */
export function spellGrants(grants: readonly GrantedPrivilege[]): string {
  const roles = [...new Set(grants.map(({ role }) => role))];
  return roles
    .map((role) => {
      const own = grants.filter((grant) => grant.role === role).map(({ privilege }) => privilege);
      return `${own.join(', ')} to ${role}`;
    })
    .join('; ');
}

const classes: Readonly<Record<string, string>> = {
  table: 'tables',
  view: 'tables',
  'materialized view': 'tables',
  'foreign table': 'tables',
  sequence: 'sequences',
  function: 'functions',
  procedure: 'functions',
  aggregate: 'functions',
  type: 'types',
  domain: 'types',
  schema: 'schemas',
};

/**
 * Whether the database's default privileges give `grant` to what is made now: an object that is older than they are lacks it, and the
 * one that the files make in a scratch database has it.
 */
export function isByDefault(found: Catalog, object: CatalogObject, grant: GrantedPrivilege): boolean {
  const wanted = classes[object.kind];
  return [...found.objects.values()].some(({ kind, name, properties }) => {
    if (kind !== 'default privileges') return false;
    const match = / on (\w+)(?: in (.+))?$/.exec(name);
    if (match === null || match[1] !== wanted) return false;
    const schema = match[2] === undefined ? undefined : partsOf(match[2]).parts[0];
    if (schema !== undefined && schema !== schemaOf(object)) return false;
    return readGrants(properties['privileges']).some((held) => holds(held, grant));
  });
}
