import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '@lockstep/foundation';
import { analyse } from '../analysis/analyse.ts';
import { Facts } from '../analysis/facts.ts';
import { loadParser } from '../analysis/parser.ts';
import { runInScratch, stepUp } from '../catalog/build-schema.ts';
import { tableOf } from '../catalog/compliance.ts';
import { withScratch } from '../catalog/scratch.ts';
import type { Settings } from '../config.ts';
import { UsageError } from '../errors.ts';
import { showPath } from '../folder.ts';
import { withFilesAndState } from '../inspect.ts';
import type { Hooks } from '../operation.ts';
import { type PageContents, page } from './page.ts';
import { readSchema } from './read-schema.ts';

/** The page is not what the files would make of it. */
export class PageNotCurrentError extends Failure {
  constructor(path: string, evidence: readonly string[]) {
    super(`${path} is not current`, {
      code: 'docs-not-current',
      exitStatus: 6,
      evidence,
      hint: 'migrate docs',
    });
  }
}

/** Makes the page of a service: its migrations run in a scratch database, whose schema is read. What is live is not looked at. */
export function makePage(
  settings: Settings,
  withDurations: boolean,
  hooks: Hooks = {},
): Promise<{ contents: PageContents; text: string }> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    const schema = await withScratch(operation, session, state.tables.schema, async (scratch) => {
      const scratched = await scratch.connect();
      try {
        await runInScratch(operation, scratched, tableOf(state), {
          steps: migrations.map(stepUp),
          migrations,
          from: undefined,
        });
        return await readSchema(scratched, state.tables);
      } finally {
        await scratched.close();
      }
    });
    const parse = await loadParser();
    const facts = new Facts();
    const measured = state.history.applied.flatMap(({ version, durationMilliseconds: took }) =>
      took === undefined ? [] : [[version, took] as const],
    );
    const contents: PageContents = {
      service: settings.service ?? state.database,
      schema,
      migrations: migrations.map((migration) => analyse(migration, parse, facts)),
      durations: withDurations ? new Map(measured) : undefined,
    };
    return { contents, text: page(contents) };
  });
}

/** Where the page is when nobody said. */
export function defaultPage(settings: Settings): string {
  return join(settings.path, 'docs', 'schema.md');
}

/** Writes the page where it differs, whole or not at all; true when it did. */
export async function writePage(path: string, text: string): Promise<boolean> {
  if ((await readPage(path)) === text) return false;
  const partial = `${path}.${process.pid}.partial`;
  try {
    const folder = dirname(path);
    if ((await stat(folder).catch(() => undefined)) === undefined) await mkdir(folder);
    await writeFile(partial, text, { flag: 'wx' });
    await rename(partial, path);
    return true;
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new UsageError(
      `the page cannot be written to ${showPath(path)}: ${error instanceof Error ? error.message : String(error)}`,
      'migrate docs --out FILE',
    );
  }
}

/** @throws {PageNotCurrentError} with the first lines that differ; exit status 6 */
export async function checkPage(path: string, text: string): Promise<void> {
  const now = await readPage(path);
  if (now === text) return;
  if (now === undefined) throw new PageNotCurrentError(showPath(path), ['there is no such file']);
  const [old, fresh] = [now.split('\n'), text.split('\n')];
  const at = fresh.findIndex((line, index) => line !== old[index]);
  const line = at === -1 ? fresh.length : at;
  throw new PageNotCurrentError(showPath(path), [
    `from line ${line + 1} on:`,
    ...[
      ...old.slice(line, line + 3).map((text) => `- ${text}`),
      ...fresh.slice(line, line + 3).map((text) => `+ ${text}`),
    ].map((text) => text.slice(0, 200)),
  ]);
}

async function readPage(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined;
    throw new UsageError(
      `${showPath(path)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'migrate docs --out FILE',
    );
  }
}
