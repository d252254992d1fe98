import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../analysis/parser.ts';
import { pick } from '../analysis/tree.ts';
import { parseFileName } from '../file-name.ts';
import { parseColumns } from './columns.ts';
import { CreateRefusedError } from './errors.ts';
import { Names, requireDescription, snake } from './names.ts';
import { fill } from './template.ts';

let names: Names;
let parse: Awaited<ReturnType<typeof loadParser>>;
beforeAll(async () => {
  names = await Names.load();
  parse = await loadParser();
});

/** Undefined when refused; any other error is a defect. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CreateRefusedError) return undefined;
    throw error;
  }
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(
        ...'a int text : , ( ) [ ] \' " ; -- /* */ $$ default= not-null pk numeric(10,2) drop table x user.x \u202e \u0000 İ ſ 😀 ..'.split(
          ' ',
        ),
        ' ',
        '\n',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

describe('hostile input', () => {
  it('never becomes a name that is more than one identifier', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const name = attempt(() => names.identifier(text, '--on'));
        if (name === undefined) return;
        expect(name).toMatch(/^[a-z_][a-z0-9_]{0,62}$/);
        const parsed = parse({ text: `create table ${name} (${name} int)` });
        expect('tree' in parsed && pick(parsed.tree, 'CreateStmt')?.relation?.relname).toBe(name);
      }),
      { numRuns: 1500 },
    );
  });

  it('never becomes a file name that is none', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const description = attempt(() => requireDescription(text));
        if (description !== undefined)
          expect(parseFileName(`1_${description}.up.sql`)).toMatchObject({ description });
        const better = snake(text);
        if (better !== '') expect(requireDescription(better.slice(0, 100).replace(/_+$/, ''))).not.toBe('');
      }),
      { numRuns: 1500 },
    );
  });

  it('never becomes a column that is more than a column', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const columns = attempt(() => parseColumns(text, names));
        for (const { name, type, default: value } of columns ?? []) {
          const sql = `create table t (${name} ${type} default ${value ?? '1'}\n)`;
          const parsed = parse({ text: sql });
          if (!('tree' in parsed)) throw new Error(`${sql} does not parse`);
          expect(pick(parsed.tree, 'CreateStmt')?.tableElts).toHaveLength(1);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('in a value of a template is not read as a template again', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, value) => {
        const filled = attempt(() => fill({ text: `${text}{{value}}`, path: 't' }, { value }));
        if (filled !== undefined) expect(filled).toContain(value);
      }),
    );
  });
});

it('reads columns with everything they can have', () => {
  expect(
    parseColumns("id:bigint:pk, price:numeric(10,2):not-null:default=0, tags:text[]:default='a,b:c'", names),
  ).toEqual([
    { name: 'id', type: 'bigint', primary: true, required: true, unique: false, default: undefined },
    { name: 'price', type: 'numeric(10,2)', primary: false, required: true, unique: false, default: '0' },
    { name: 'tags', type: 'text[]', primary: false, required: false, unique: false, default: "'a,b:c'" },
  ]);
});
