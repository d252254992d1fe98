import type { Rule } from '../rule.ts';
import { ruleGroups } from './rules.ts';
import { squawkTable } from './squawk.ts';

/** Findings that are no rule about one statement. */
const others: readonly (readonly [code: string, severity: string, words: string])[] = [
  [
    'file',
    'error',
    'The file cannot be a migration: its name, its bytes, a quote that is never closed, a command of psql, a second file of its version; or it is named as in another layout and would never run.',
  ],
  [
    'both-directions',
    'error',
    'The file holds the way up and the way down, as those of dbmate, goose, sql-migrate, node-pg-migrate, tern and others do, and all of it would run; the comment that begins the other half is named. In the layout alphabetical also a script that is another one’s way down by its name: `1_a_down.sql` beside `1_a.sql`, `1_a.rollback.sql`, Flyway’s `U1__a.sql`. `up` refuses the file as well. [coming-from.md](coming-from.md) says how to split it.',
  ],
  [
    'substitution',
    'error',
    'A comment of goose (`-- +goose ENVSUB ON`) has variables of the environment put into the SQL, which is not done here. `up` refuses the file as well.',
  ],
  ['passed-over', 'warning', 'The file is no migration by its name, so nothing runs it. `up` says so, too.'],
  ['down-without-up', 'warning', 'There is a down file and no up file of its version. It is passed over.'],
  [
    'direction-heading',
    'warning',
    'A comment such as `-- rollback` or `-- Down migration: …` reads as if the way back followed. It may be prose, so what follows runs.',
  ],
  [
    'foreign-marker',
    'warning',
    'A comment commands another migrator, such as `-- +goose Up` or `-- +goose StatementBegin`. It does nothing here.',
  ],
  [
    'number-order',
    'warning',
    'In the layout alphabetical the order is that of names: `V10__x.sql` runs before `V1__x.sql`, and `10_b.sql` before `2_a.sql`.',
  ],
  [
    'empty-file',
    'warning',
    'An up file has no statement, and is recorded as applied all the same; or a down file is empty and no comment says why there is nothing to take back.',
  ],
  [
    'pair-name',
    'warning',
    'The up and the down file of a version have other descriptions or paddings. The version makes them a pair.',
  ],
  [
    'name-characters',
    'warning',
    'The name has no description, or holds characters that nobody sees (a no-break space, a zero-width character) or that shells and tools may not take. It is recorded as it is.',
  ],
  [
    'syntax',
    'error',
    "Postgres' own parser (that of version 18) does not understand the statement. No comment allows it.",
  ],
  [
    'not-parsed',
    'notice',
    'The statement is over 512 KiB, so no rule looks at it: bulk rows belong into seeds.',
  ],
  ['down-missing', 'notice', 'There is no down file, so the migration cannot be taken back.'],
  [
    'down-leaves',
    'warning',
    'The down file leaves something that the up file makes. What is read: the names that are made and dropped in both, and what goes along with a table or column. A file with DO, CALL, CASCADE or OR REPLACE is not compared; `migrate verify --rollbacks` compares schemas.',
  ],
  ['down-lacks', 'warning', 'The up file drops something that the down file does not make again.'],
  [
    'transaction-control',
    'warning',
    'The file ends or opens transactions, other than by a BEGIN first and a COMMIT last. Where it is one transaction all the same, it runs in the migrator’s own. Where it is several, each is committed apart, and a failure in a later one leaves the database dirty; so does a ROLLBACK, or a transaction that is read only.',
  ],
  [
    'search-path-not-kept',
    'warning',
    'An earlier file sets search_path, and this one uses a name without a schema. Settings end with their file here; golang-migrate keeps them for the files of one run, so the name may have meant another schema there.',
  ],
  [
    'temp-table-not-kept',
    'warning',
    'The file uses a temporary table that an earlier one makes. Temporary tables end with their file.',
  ],
  [
    'foreign-key-unindexed',
    'notice',
    'No index begins with the columns of a foreign key, in this file or a later one: each delete, and each change of the key, in the table it refers to reads the whole referencing table.',
  ],
  ['naming', 'notice', 'The description is not in lower_snake_case.'],
  [
    'padding',
    'warning',
    'The version is padded otherwise than most, so that listings are not in the order in which migrations run.',
  ],
  ['version-gap', 'notice', 'A number is left out. Timestamps have no gaps.'],
  ['suppression-without-reason', 'error', 'A comment allows a rule and does not say why; it allows nothing.'],
  ['suppression-unknown', 'error', 'A comment allows a rule that does not exist.'],
  [
    'suppression-unused',
    'warning',
    'A comment allows a rule that nothing breaks there, or stands before another statement.',
  ],
];

/** docs/rules.md, generated: each rule's reason, fix, and an example of both. */
export function rulesPage(): string {
  return [
    '# Rules',
    '',
    'Generated from the rules themselves by `npm run docs:rules`; do not edit.',
    '',
    '`migrate validate` names these codes. An **error** fails it, a **warning** does with `--strict`, a **notice** never does. A comment right',
    'before a statement allows what a rule warns of, and must say why (`allow-file` in place of `allow`: for the whole file):',
    '',
    '```sql',
    '-- lockstep: allow drop-column: nothing reads it since 3.1',
    'alter table orders drop column note;',
    '```',
    '',
    'Rules look at up files. Locks on a table that the same file makes are nobody’s trouble and are left out.',
    '',
    '## All files',
    '',
    ...others.flatMap(([code, severity, words]) => [`### ${code}`, '', `*${severity}.* ${words}`, '']),
    ...Object.entries(ruleGroups).flatMap(([heading, rules]) => [
      `## ${heading}`,
      '',
      ...rules.flatMap(section),
    ]),
    '## Rules of squawk',
    '',
    '| squawk | here |',
    '|---|---|',
    ...squawkTable().map(({ name, codes, words }) => {
      const links = codes.map((code) => `[${code}](#${code})`).join(', ');
      return `| ${name} | ${[links, words].filter((part) => part !== '').join(': ')} |`;
    }),
    '',
  ].join('\n');
}

function section({ code, severity, reason, fix, risks, bad, good }: Rule): string[] {
  const risk = risks.length === 0 ? '' : ` Risk: ${risks.join(', ')}.`;
  return [
    `### ${code}`,
    '',
    `*${severity}.* ${reason}${risk}`,
    '',
    `Instead: ${fix}.`,
    '',
    '```sql',
    '-- found',
    bad,
    '-- not found',
    good,
    '```',
    '',
  ];
}
