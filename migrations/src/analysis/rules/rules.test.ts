import { beforeAll, describe, expect, it } from 'vitest';
import { toSqlFile } from '../../sql-file.ts';
import { parseSql } from '../../statements.ts';
import { analyse } from '../analyse.ts';
import { loadParser } from '../parser.ts';
import { rules } from './rules.ts';

let parse: Awaited<ReturnType<typeof loadParser>>;
beforeAll(async () => {
  parse = await loadParser();
});

/** The codes that a file of this SQL breaks. */
function codesOf(sql: string): string[] {
  const { statements, mistakes } = parseSql(sql);
  expect(mistakes).toEqual([]);
  const up = toSqlFile('000001_x.up.sql', sql, statements);
  const migration = { version: 1n, label: '000001', description: 'x', up, down: undefined };
  const { findings } = analyse(migration, parse);
  expect(findings.filter(({ code }) => code === 'syntax')).toEqual([]);
  return findings.map(({ code }) => code);
}

describe.each(rules.map((rule) => [rule.code, rule] as const))('%s', (code, rule) => {
  it('finds its own bad example', () => {
    expect(codesOf(rule.bad)).toContain(code);
  });

  it('is content with its own good example', () => {
    expect(codesOf(rule.good)).not.toContain(code);
  });

  it('has words that a reader can act on', () => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(rule.message).toContain(code === 'rights-taken' || rule.message.includes('{}') ? '' : '{}');
    expect(rule.fix).not.toBe('');
    expect(rule.reason).toMatch(/\.$/);
  });
});

it('gives each rule a code of its own', () => {
  const codes = rules.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});
