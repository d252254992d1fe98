const words = 'down|undo|rollback|revert|downgrade';
const ending = new RegExp(`\\.(?:${words})\\.sql$`, 'i');
const counterpart = new RegExp(`^(.*)[_-](?:${words})\\.sql$`, 'is');

/**
 * The rule that a script of the layout alphabetical breaks by being another's way down, as its name says; each script of that
 * layout runs on the way up.
 *
 * @param names of all scripts: `1_a_down.sql` is a way down where `1_a.sql` or `1_a_up.sql` is, else it may be any words
 */
export function wayDownRule(name: string, names: ReadonlySet<string>): string | undefined {
  const reads = 'reads as a way down, which would run on the way up';
  if (/^U\d[\d._]*__/.test(name)) return `${reads}: Flyway's undo`;
  if (ending.test(name)) return reads;
  const [, stem] = counterpart.exec(name) ?? [];
  const up =
    stem === undefined
      ? undefined
      : [`${stem}.sql`, `${stem}_up.sql`, `${stem}-up.sql`].find((one) => names.has(one));
  return up === undefined ? undefined : `${reads}: that of ${up}`;
}
