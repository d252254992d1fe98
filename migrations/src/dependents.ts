import { count, Failure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import { type Json, jsonVersion } from './json.ts';
import type { Session } from './session.ts';

/** An app that is connected and says which schema version it was built for. */
export interface Dependent {
  readonly application: string;
  readonly needs: bigint;
  readonly sessions: number;
}

/** An app would be left without the schema that it needs. */
export class ApplicationsInTheWayError extends Failure {
  constructor(fact: string, evidence: readonly string[]) {
    super(fact, { code: 'applications', exitStatus: 6, evidence });
  }
}

/**
 * Finds the apps that are connected to the session's database and need a later version than `version`. An app says so in its
 * application_name, as in `services-api needs 15` (which is how the apps of a stack call themselves).
 */
export async function findDependents(session: Session, version: bigint | undefined): Promise<Dependent[]> {
  const rows = await session.query(
    `select match[1] as application, match[2] as needs, count(*)::int as sessions
     from pg_stat_activity a, regexp_match(a.application_name, '^(.*) needs (\\d{1,18})$') as match
     where a.datname = current_database() and match is not null and match[2]::int8 > $1::int8
     group by 1, 2 order by 1, 2`,
    [String(version ?? -1n)],
  );
  return rows.map(({ application, needs, sessions }) => ({
    application: String(application).replace(/\p{C}+/gu, ' '),
    needs: BigInt(String(needs)),
    sessions: Number(sessions),
  }));
}

/** Where nothing keeps a run from going below what an app needs, it is said at least. */
export async function warnDependents(log: Log, session: Session, version: bigint | undefined): Promise<void> {
  for (const { application, needs } of await findDependents(session, version)) {
    log.warn(
      `${application} is running and needs version ${needs}; the schema is going to ${version ?? 'none'}`,
    );
  }
}

/** The apps that a plan leaves without their schema, for machines. */
export function jsonDependents(dependents: readonly Dependent[]): Json {
  return dependents.map(({ application, needs, sessions }) => ({
    application,
    needs: jsonVersion(needs),
    connections: sessions,
  }));
}

export function describeDependents(
  name: string,
  version: bigint | undefined,
  dependents: readonly Dependent[],
): ApplicationsInTheWayError {
  return new ApplicationsInTheWayError(
    `${name} cannot go down to ${version ?? 'none'}: ${count(dependents.length, 'app')} would be left without the schema`,
    [
      ...dependents.map(
        ({ application, needs, sessions }) =>
          `${application} needs ${needs}, and has ${count(sessions, 'connection')} open`,
      ),
      'deploy a version of the app that needs less first, or stop it',
      'nothing was changed',
    ],
  );
}
