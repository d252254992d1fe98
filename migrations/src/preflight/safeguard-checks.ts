import { Failure } from '@lockstep/foundation';
import { findPgTool } from '../backup/pg-tool.ts';
import { describeClosed, readReach } from '../backup/reach.ts';
import { freeBytes, prepareFolder } from '../backup/store.ts';
import { readServerVersion } from '../backup/take.ts';
import { appliedMigrations, compareWithFiles } from '../catalog/compliance.ts';
import { describeDifferences } from '../catalog/differences.ts';
import { describeNotes } from '../catalog/notes.ts';
import { readCatalog } from '../catalog/read-catalog.ts';
import { proveRollbacks } from '../catalog/rollbacks.ts';
import { readSpecification } from '../catalog/specification.ts';
import { showPath } from '../folder.ts';
import { titleOf } from '../migration.ts';
import { type Check, type Finding, failed, note, type Outlook, ok } from './check.ts';

/** pg_dump of the right version, a folder that can be written, and room in it. */
export const backupCheck: Check = {
  name: 'backup',
  level: 'minimal',
  concerns: ({ operation }) => operation.settings.strategy.backup !== 'none',
  look: async ({ operation, session, state }) => {
    const { folder, pgBin } = operation.settings.backups;
    const server = await readServerVersion(session);
    return attempt(async () => {
      const tool = await findPgTool('pg_dump', server.major, pgBin);
      await findPgTool('pg_restore', server.major, pgBin);
      await prepareFolder(folder);
      const [row] = await session.query('select pg_database_size(current_database())::text as bytes');
      const [needed, free] = [Number(row?.['bytes']), await freeBytes(folder)];
      if (free !== undefined && free < needed) {
        return failed(
          `${showPath(folder)} has ${mebibytes(free)} free, and up to ${mebibytes(needed)} are needed`,
        );
      }
      const room = free === undefined ? '' : `, ${mebibytes(free)} free for ${mebibytes(needed)} at most`;
      const closed = describeClosed(await readReach(session)).slice(0, 10);
      return [
        ...ok(`pg_dump ${tool.version} to ${showPath(folder)}${room}`),
        ...(closed.length === 0
          ? []
          : note(`leaves out what ${state.role} may not read: ${closed.join(', ')}`)),
      ];
    });
  },
};

export const scratchCheck: Check = {
  name: 'scratch',
  level: 'moderate',
  look: async (outlook) =>
    (await mayMakeScratch(outlook))
      ? ok('scratch databases can be made')
      : failed(
          `${outlook.state.role} may not make scratch databases (CREATEDB), and --scratch-url names no other server`,
        ),
};

/** The schema before must be what the files make, or what comes after cannot be; what else is there is told. */
export const schemaCheck: Check = {
  name: 'schema',
  level: 'moderate',
  concerns: ({ plan }) => plan.anomalies.length === 0,
  look: async (outlook) => {
    const { operation, session, state, plan, migrations } = outlook;
    if (!(await mayMakeScratch(outlook))) return note('not compared: no scratch database can be made');
    const live = await readCatalog(session, state.tables);
    const ups = new Set(
      plan.steps.flatMap(({ direction, version }) => (direction === 'up' ? [version] : [])),
    );
    const pending = migrations.filter(({ version }) => ups.has(version));
    return attempt(async () => {
      const { expectation, differences, notes } = await compareWithFiles(
        operation,
        session,
        state,
        migrations,
        live,
        pending,
      );
      const told = describeNotes(notes, 5).flatMap((line) => note(line));
      if (differences.length > 0) {
        const words = [`differs from ${expectation}`, ...describeDifferences(differences, 5)].join('; ');
        return [...failed(words, 6), ...told];
      }
      return [...ok(`equals ${expectation}${told.length === 0 ? '' : ', apart from:'}`), ...told];
    });
  },
};

export const specificationCheck: Check = {
  name: 'specification',
  level: 'moderate',
  concerns: ({ operation }) => operation.settings.specification !== undefined,
  look: ({ operation }) =>
    attempt(async () => {
      const file = await readSpecification(operation.settings.specification ?? '');
      return ok(`${file.path} can be read`);
    }),
};

/** Each pending migration runs up, down and up again in a scratch database. */
export const rehearsalCheck: Check = {
  name: 'rehearsal',
  level: 'extensive',
  concerns: ({ plan }) =>
    plan.anomalies.length === 0 && plan.steps.some(({ direction }) => direction === 'up'),
  look: async (outlook) => {
    const { operation, session, state, plan, migrations } = outlook;
    if (!(await mayMakeScratch(outlook))) return note('not done: no scratch database can be made');
    const pending = new Set(plan.steps.map(({ version }) => version));
    const applied = appliedMigrations(migrations, state);
    return attempt(async () => {
      const proofs = await proveRollbacks(operation, session, state, {
        before: applied,
        proven: migrations.filter(({ version }) => pending.has(version)),
        migrations,
      });
      return proofs.flatMap(({ migration, verdict, differences, failure }): readonly Finding[] => {
        const name = titleOf(migration);
        if (verdict === 'proven') return ok(`${name}: up, down and up again`);
        if (verdict === 'irreversible') return note(`${name}: up; it has no down file`);
        const why =
          failure === undefined
            ? describeDifferences(differences, 3)
            : [failure.message, ...failure.evidence];
        return failed(`${name}: ${verdict}: ${why.join('; ')}`);
      });
    });
  },
};

async function mayMakeScratch({ operation, session }: Outlook): Promise<boolean> {
  if (operation.settings.scratch !== undefined) return true;
  const [row] = await session.query(
    'select rolcreatedb or rolsuper as may from pg_roles where rolname = current_user',
  );
  return row?.['may'] === true;
}

/** What a look cannot do is a finding like others; the deadline and an interruption end the run. */
async function attempt(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof Failure) || ![1, 3, 6].includes(error.exitStatus)) throw error;
    return failed([error.message, ...error.evidence].join('; '));
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
