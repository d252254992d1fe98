import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { openCsv, parseHeader } from './csv-header.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

it('reads back whatever names are written in quotes, and leaves every byte behind the header', async () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => text.isWellFormed() && !text.includes('\0'));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.string({ maxLength: 50 }).filter((text) => !text.startsWith('\n') && !text.includes('\0')),
      fc.boolean(),
      async (names, ending, rest, mark) => {
        const path = join(folder, 'x.csv');
        // With a lone CR the end is known only from what follows.
        const body = ending === '\r' ? `x${rest}` : rest;
        writeFileSync(path, `${mark ? '\ufeff' : ''}${names.map(quote).join(',')}${ending}${body}`);
        const { columns, rows } = await openCsv(path, 'x.csv');
        const chunks: Buffer[] = [];
        for await (const chunk of rows) chunks.push(chunk as Buffer);
        expect(columns).toEqual(names);
        expect(Buffer.concat(chunks).toString()).toBe(body);
      },
    ),
    { numRuns: 150 },
  );
});

it('reads any line as names or as a rule that it breaks', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      const names = parseHeader(line);
      if (typeof names !== 'string') expect(new Set(names).size).toBe(names.length);
    }),
  );
  expect(parseHeader('a,"b,""c",d')).toEqual(['a', 'b,"c', 'd']);
});
