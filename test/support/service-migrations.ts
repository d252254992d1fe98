import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';

/** A service of the project, by the name of its folder. */
export type ServiceName = string;

/** A migration of a service as its two files say it. */
export interface MigrationFiles {
  readonly version: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** The absolute path of a service's folder. */
export function serviceFolder(service: ServiceName): string {
  return join(import.meta.dirname, '..', '..', service);
}

/** Reads a service's migrations in order of version. */
export async function readMigrations(service: ServiceName): Promise<MigrationFiles[]> {
  const folder = join(serviceFolder(service), 'migrations');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.up.sql')).sort();
  return await Promise.all(
    files.map(async (file) => ({
      version: Number.parseInt(file, 10),
      name: file.replace('.up.sql', ''),
      up: await readFile(join(folder, file), 'utf8'),
      down: await readFile(join(folder, file.replace('.up.', '.down.')), 'utf8'),
    })),
  );
}

/** Runs SQL texts one after the other on one connection, each as one simple query. */
export async function runSql(url: string, texts: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const text of texts) await client.query(text);
  } finally {
    await client.end();
  }
}

/** Applies every migration as the owner and writes the receipt by hand; independent of the migrator. */
export async function migrateByHand(ownerUrl: string, service: ServiceName): Promise<void> {
  const migrations = await readMigrations(service);
  const version = migrations.at(-1)?.version ?? 0;
  await runSql(ownerUrl, [
    ...migrations.map((migration) => migration.up),
    'create table schema_migrations (version bigint not null primary key, dirty boolean not null)',
    `insert into schema_migrations values (${version}, false)`,
  ]);
}

/** The fenced sql blocks of a service's specification, in order. */
export async function readSpecification(service: ServiceName, file: string): Promise<string[]> {
  const text = await readFile(join(serviceFolder(service), file), 'utf8');
  return [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}
