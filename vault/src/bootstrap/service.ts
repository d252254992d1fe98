/** One database role of a service, and everything that is named after it. */
export interface ServiceRole {
  /** `services-api-migrator`: the policy, the AppRole and the credentials folder. */
  readonly name: string;
  /** `services_migrator`: the role in Postgres. */
  readonly user: string;
  /** `services-api/migrator`: the entry below the KV mount. */
  readonly entry: string;
}

/** A service whose database, roles and secrets the bootstrap makes. */
export interface Service {
  readonly name: string;
  readonly database: string;
  /** Owns the database; its init container migrates with it. */
  readonly migrator: ServiceRole;
  /** DML only; the app serves with it. */
  readonly app: ServiceRole;
}

const serviceRule = /^[a-z][a-z0-9-]{0,39}$/;
// Room for `_migrator` within Postgres' 63 bytes, and for the names of recreated databases.
const databaseRule = /^[a-z][a-z0-9_]{0,38}$/;

/**
 * Parses `services-api:services content-api:content` (service, colon, database; separated by blanks or commas).
 *
 * @returns the services, and for each wrong entry the rule it breaks
 */
export function parseServices(text: string): { services: Service[]; mistakes: string[] } {
  const services: Service[] = [];
  const mistakes: string[] = [];
  for (const pair of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [name = '', database = '', ...rest] = pair.split(':');
    if (rest.length > 0 || !serviceRule.test(name) || !databaseRule.test(database)) {
      mistakes.push(`expected service:database in lower case, such as services-api:services, got "${pair}"`);
    } else if (services.some((other) => other.name === name || other.database === database)) {
      mistakes.push(`"${pair}" repeats a service or a database`);
    } else services.push(describeService(name, database));
  }
  if (services.length === 0 && mistakes.length === 0) mistakes.push('names no service');
  return { services, mistakes };
}

function describeService(name: string, database: string): Service {
  const role = (kind: 'migrator' | 'app'): ServiceRole => ({
    name: `${name}-${kind}`,
    user: `${database}_${kind}`,
    entry: `${name}/${kind}`,
  });
  return { name, database, migrator: role('migrator'), app: role('app') };
}
