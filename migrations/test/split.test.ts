import { Client, type QueryArrayResult } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeCatalog } from '../../test/support/catalog.ts';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { UnfinishedSqlError } from '../src/file-errors.ts';
import { offsetOfCharacter } from '../src/position.ts';
import { parseStatements } from '../src/statements.ts';
import { pick, seeded } from './random.ts';
import { groundwork, statementMix } from './statement-mix.ts';

// Postgres' own parser is the judge: it reads a whole text sent as one simple query, and its command tags count.
describe.each(postgresServers())('texts that $name reads whole and we split', (server) => {
  let databases: TestDatabase[];
  let whole: Client;
  let split: Client;

  beforeAll(async () => {
    databases = await Promise.all([createTestDatabase(server), createTestDatabase(server)]);
    [whole, split] = await Promise.all([connect(databases[0]), connect(databases[1])]);
  });

  afterAll(async () => {
    await Promise.all([whole.end(), split.end()]);
    await Promise.all(databases.map((database) => database.drop()));
  });

  test('250 mixes give the same results one by one, and leave the same catalog and rows', async () => {
    await Promise.all([whole.query(groundwork), split.query(groundwork)]);
    const random = seeded(18);
    let statements = 0;
    for (let round = 0; round < 250; round++) {
      const { text, count } = statementMix(random, round);
      const expected = await results(whole, text);
      const found: unknown[] = [];
      for (const statement of parseStatements(text)) found.push(...(await results(split, statement.text)));
      expect(found, text).toEqual(expected);
      expect(found.length, text).toBe(count);
      statements += count;
    }
    expect(statements).toBeGreaterThan(1_000);

    const [left, right] = await Promise.all(
      databases.map(({ superuserUrl }) => describeCatalog(superuserUrl)),
    );
    expect(left?.length).toBeGreaterThan(1_500);
    expect(right).toEqual(left);
    for (const sql of ['select * from journal', 'select tablename, definition from pg_rules order by 1, 2']) {
      expect(await results(split, sql)).toEqual(await results(whole, sql));
    }
  });

  test('of random soup, what it accepts has as many statements, and what it calls unterminated we refuse there', async () => {
    const random = seeded(7);
    const seen = { accepted: 0, unterminated: 0 };
    for (let round = 0; round < 4_000; round++) {
      const text = soup(random);
      const answer = await results(whole, text).catch((error: unknown) => error);
      if (Array.isArray(answer)) {
        seen.accepted += 1;
        expect(parseStatements(text).length, text).toBe(answer.length);
      } else if (/^unterminated/.test((answer as Error).message)) {
        seen.unterminated += 1;
        const { position } = answer as { position?: string };
        expectUnfinished(text, offsetOfCharacter(text, Number(position)));
      }
    }
    expect(seen.accepted).toBeGreaterThan(300);
    expect(seen.unterminated).toBeGreaterThan(1_000);
  });
});

async function connect(database: TestDatabase | undefined): Promise<Client> {
  const client = new Client({ connectionString: database?.ownerUrl });
  await client.connect();
  return client;
}

/** Runs a text as one simple query: for each of its statements the command and the rows. */
async function results(client: Client, text: string): Promise<unknown[]> {
  const answer: QueryArrayResult | QueryArrayResult[] = await client.query({ text, rowMode: 'array' });
  return [answer]
    .flat()
    .filter(({ command }) => command !== null)
    .map(({ command, rows }) => ({ command, rows }));
}

/** Text that is seldom SQL, and often has quotes and comments that are never closed. */
function soup(random: () => number): string {
  const length = 1 + Math.floor(random() * 9);
  return `select ${Array.from({ length }, () => pick(random, scraps)).join('')}`;
}

const scraps = [
  ...["'", "'", "E'", "e'\\'", "U&'", "x'", "''", '\\', '"', '$$', '$a$', '$1', 'a', 'é', '😀'],
  ...['/*', '*/', '--', '\n', '\r', ' ', ';', ',', '1', '-', '+', '||', '(', ')', 'select ', 'select 1;'],
];

/** Where Postgres says that a string in several parts begins, we say which part is open. */
function expectUnfinished(text: string, offset: number): void {
  let thrown: unknown;
  try {
    parseStatements(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, text).toBeInstanceOf(UnfinishedSqlError);
  const { offset: found } = thrown as UnfinishedSqlError;
  const parts = text.slice(offset, found);
  expect(found === offset || /'[^']*[\r\n]\s*(--.*[\r\n]\s*)*$/.test(parts), `${text}: ${found}`).toBe(true);
}
