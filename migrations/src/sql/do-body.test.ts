import { describe, expect, test } from 'vitest';
import { endsTransaction } from './do-body.ts';

describe('F4.1 a DO that ends its transaction', () => {
  test.each([
    'do $$ begin insert into t values (1); commit; end $$',
    'DO $body$\nDECLARE r record;\nBEGIN\n  FOR r IN SELECT 1 LOOP\n    COMMIT;\n  END LOOP;\nEND\n$body$ LANGUAGE plpgsql',
    'do language plpgsql $$ begin <<here>> commit and chain; end $$',
    "do language 'plpgsql' 'begin if true then commit; end if; end'",
    "do E'begin\\n insert into t values (\\'a\\');\\n commit;\\nend'",
    "do 'begin insert into t values (1);'\n' commit; end'",
    'do $$ begin begin perform 1; exception when others then commit; end; end $$',
    'do $$ begin if a then perform 1; else /* c */ commit -- d\n ; end if; end $$',
    "do language plpython3u $$ plpy.execute('x'); plpy.commit() $$",
    'do language plperl $$ spi_commit(); $$',
    'do language pltcl $$ spi_exec "x"; commit\n$$',
  ])('%s', (sql) => {
    expect(endsTransaction(sql)).toBe('DO with COMMIT');
  });

  test('by ROLLBACK as well', () => {
    expect(endsTransaction('do $$ begin rollback; end $$')).toBe('DO with ROLLBACK');
  });

  test.each([
    "do $$ begin execute 'commit;'; end $$",
    "do $$ begin perform 'x; commit; '; end $$",
    'do $$ begin /* ; commit; */ perform 1; -- ; commit;\n end $$',
    'do $$ declare commit int; begin commit := 1; end $$',
    'do $$ begin perform commit from t; perform a.commit; end $$',
    'do $$ begin if x then "commit"; end if; end $$',
    'do $$ begin x := case when a then commit else rollback end; end $$',
    'do $$ begin call p(); end $$',
    "do $$ begin 'never closed $$",
    'do language plpython3u $$ plpy.notice("commit()") $$',
    'do',
  ])('not %s', (sql) => {
    expect(endsTransaction(sql)).toBeUndefined();
  });
});
