import { expect, test } from 'vitest';
import { everything, exclusions, withoutSuperuserOnly } from './reach.ts';

test('F3.1 what only a superuser can restore is commented out of the list of contents, and nothing else', () => {
  const list = [
    ';     dbname: shop',
    '3400; 3079 16400 EXTENSION - pg_stat_statements ',
    '3401; 0 0 COMMENT - EXTENSION pg_stat_statements ',
    '3079; 3079 16401 EXTENSION - uuid-ossp ',
    '3402; 0 0 COMMENT - EXTENSION "uuid-ossp" ',
    '3079; 3079 16402 EXTENSION - pg_stat_statements_too ',
    '215; 1259 16386 TABLE public pg_stat_statements owner',
    '3300; 3466 16399 EVENT TRIGGER - watch postgres',
    '3301; 6104 16403 PUBLICATION - all postgres',
    '3302; 6106 16404 PUBLICATION TABLE public all orders postgres',
  ].join('\n');
  const superuserOnly = [
    'extension pg_stat_statements',
    'extension "uuid-ossp"',
    'event trigger watch',
    'publication "all"',
  ];
  const left = withoutSuperuserOnly(list, { ...everything, superuserOnly }).split('\n');
  expect(left.filter((line) => !line.startsWith(';')).map((line) => line.split(';')[0])).toEqual([
    '3079',
    '215',
  ]);
  expect(left).toContain('3079; 3079 16402 EXTENSION - pg_stat_statements_too ');
  expect(withoutSuperuserOnly(list, everything)).toBe(list);
});

test('F3.2 schemas and tables that the role may not read are left out of a dump by their exact names', () => {
  const closed = { closedSchemas: ['a*'], closedTables: ['public."B"'], closedSequences: ['public.s'] };
  expect(exclusions({ ...everything, ...closed })).toEqual([
    '--exclude-schema="a*"',
    '--exclude-table=public."B"',
    '--exclude-table=public.s',
  ]);
});
