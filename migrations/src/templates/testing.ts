import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly } from '../catalog/build-schema.ts';
import type { Settings } from '../config.ts';
import { escapePattern, testingName } from '../database-names.ts';
import { type DatabaseProperties, readProperties } from '../database-properties.ts';
import { outsideTexts } from '../database-reproduction.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { lockKey, withLock } from '../lock.ts';
import { connectMaintenance, dropDatabase, findDatabases } from '../maintenance.ts';
import { type Hooks, type Operation, operate } from '../operation.ts';
import { buildFresh } from '../recreate.ts';
import { requireDevelopment } from '../strategy.ts';
import { readWatched } from '../watched-read.ts';
import { copyText, dropTemplate, findTemplates, noteUse } from './template-store.ts';
import { Templates } from './templates.ts';

/** A migrated, seeded database that nobody can connect to, and how to copy it. */
export interface TestingTemplate {
  readonly name: string;
  /** The database whose owner, grants and settings the copies have. */
  readonly database: string;
  /** The SQL that makes the copy `name`: each text is one simple query, to be sent in order from a database of another name. */
  copyTexts(name: string): string[];
}

/** So many contents are kept, those used last. */
const most = 4;

/**
 * Makes sure of the template that databases for tests are copied from: all migrations of the settings' folder and, when asked, the
 * seeds of its environment. Made from the longest beginning that is kept, once for each content; racing workers take turns.
 *
 * @throws {RecreateRefusedError} where the environment is not development
 * @throws {Failure} as a recreate: nothing of the service's own database is touched
 */
export async function prepareTestingTemplate(
  settings: Settings,
  { seeds }: { readonly seeds: boolean },
  hooks: Hooks = {},
): Promise<TestingTemplate> {
  requireDevelopment(settings, 'a database for tests');
  return operate(settings, hooks, async (loud) => {
    const operation = quietly(loud);
    const [session, migrations] = await Promise.all([operation.connect(), operation.load()]);
    const state = await readWatched(operation, session, { downSql: false });
    const properties = { ...(await readProperties(session)), comment: undefined, connectionLimit: -1 };
    await session.close();
    const { database, tables } = state;
    const maintenance = await connectMaintenance(operation, database);
    try {
      const { deadline, signal, log } = operation;
      const key = lockKey(database, 'testing', '');
      const lock = { key, database, deadline, signal, log, hint: 'the tests that run beside these' };
      return await withLock(maintenance, lock, async () => {
        const templates = new Templates(operation, maintenance, { database, properties, tables, migrations });
        const keys = await templates.keys();
        // What cannot be known is made anew for each process, and goes with the next.
        const known = keys.length === migrations.length ? keys.at(-1) : randomBytes(32).toString('hex');
        const content = hashOf([known ?? '', seeds ? seedsOf(settings) : '']);
        const name = testingName(database, content);
        const kept = await findTemplates(maintenance, database, 'testing');
        for (const old of kept.filter((one) => one.name !== name).slice(most - 1))
          await dropTemplate(maintenance, old.name);
        if (!kept.some((one) => one.key === content)) {
          const fresh = `${database}__testing_making`;
          await dropDatabase(maintenance, fresh);
          const origin = { copied: 0, spare: [] };
          await buildFresh(operation, maintenance, fresh, properties, {
            state,
            anomalies: [],
            migrations,
            applied: [],
            origin,
          });
          if (seeds) await seedInto(operation, fresh, hooks);
          await freeze(operation, maintenance, { fresh, name });
        }
        await noteUse(maintenance, { name, key: content, wished: undefined });
        return { name, database, copyTexts: (copy) => copyTexts(name, copy, properties) };
      });
    } finally {
      await maintenance.close();
    }
  });
}

async function freeze(
  operation: Operation,
  maintenance: Awaited<ReturnType<typeof connectMaintenance>>,
  { fresh, name }: { readonly fresh: string; readonly name: string },
): Promise<void> {
  await operation.deadline.during('sql', async () => {
    if ((await findDatabases(maintenance, `^${escapePattern(name)}$`)).length > 0)
      await dropDatabase(maintenance, name);
    await maintenance.query(`alter database ${quoteIdentifier(fresh)} with allow_connections false`);
    await maintenance.query(`revoke all on database ${quoteIdentifier(fresh)} from public`);
    await maintenance.query(`alter database ${quoteIdentifier(fresh)} rename to ${quoteIdentifier(name)}`);
  });
}

async function seedInto(operation: Operation, database: string, hooks: Hooks): Promise<void> {
  const session = await operation.connect(database);
  const { parameters } = session;
  await session.close();
  const { seed } = await import('../seeds/seed.ts');
  const settings: Settings = { ...operation.settings, connection: { kind: 'given', parameters } };
  await seed(settings, { allowProduction: false, dryRun: false }, { ...hooks, log: operation.log });
}

/** Every file below the folder of seeds: which of them count is the seeds' own business. */
function seedsOf({ path, environment }: Settings): string {
  const folder = join(path, 'seeds');
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true }).map(String).sort();
  } catch {
    return '';
  }
  const files = names.flatMap((name) => {
    try {
      return [
        [
          name,
          createHash('sha256')
            .update(readFileSync(join(folder, name)))
            .digest('hex'),
        ],
      ];
    } catch {
      return [];
    }
  });
  return JSON.stringify([environment, files]);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function copyTexts(template: string, name: string, properties: DatabaseProperties): string[] {
  const outside = outsideTexts(name, properties).map(([, texts]) => ['begin', ...texts, 'commit'].join('; '));
  return [
    copyText(template, name, `owner ${quoteIdentifier(properties.owner)} allow_connections true`),
    ...outside,
  ];
}
