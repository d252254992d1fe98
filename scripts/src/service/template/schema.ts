import type { NewService } from '../name.ts';

const table = `create table items (
  id uuid not null default gen_random_uuid(),
  name text not null,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  constraint items_pkey primary key (id),
  constraint items_name_unique unique (name),
  constraint items_name_length check (char_length(name) between 1 and 120)
);
`;

const indexByAge = `create index items_by_age on items (created_at desc, id desc);
`;

export const migrationUp = `${table}
${indexByAge}`;

export const migrationDown = `drop table items;
`;

const sql = (text: string) => `\`\`\`sql
${text}\`\`\``;

/** The specification: its sql blocks give the schema that the migrations give. */
export function specification({ name, database }: NewService): string {
  return `# The schema of ${name}

What the database of ${name} looks like, and why. The \`sql\` blocks are authoritative: run in order on an empty
database they give exactly the schema that the migrations give, and a test compares the two on real servers. The
tables that a migrator keeps for itself (\`schema_migrations\`, \`schema_migrations_history\`) are not part of it.

## Purpose and rules

An **item** has a name and is never changed. Items stand here for whatever this service will keep.

1. A name has 1 to 120 characters, and no two items have the same.
2. Who created an item, and when, is recorded with it.

All of these hold in the database, whoever writes. Instants have millisecond precision, as the API shows them, so that
a cursor made from one finds its row again.

## Who may do what

\`${database}_migrator\` owns everything and alone changes the schema. \`${database}_app\`, as which the app connects,
reads and writes rows through default privileges and has no right to create, alter, drop or truncate anything.

## Items

${sql(table)}

\`items_by_age\` serves \`GET /items\`, in the order of the list: a page reads no more rows than it shows.

${sql(indexByAge)}
`;
}
