import { jsonVersion } from '../json.ts';
import type { Report } from '../report.ts';
import { type PageContents, purposeOf } from './page.ts';

/** `docs`: one line, or the page itself; as JSON what the page is made of. */
export function reportDocumentation(
  { service, schema, migrations, durations }: PageContents,
  text: string,
  document: string | undefined,
): Report {
  return {
    text,
    json: {
      service,
      relations: schema.relations.map(
        ({ name, kind, comment, columns, constraints, indexes, triggers, references }) => ({
          name,
          kind,
          comment: comment ?? null,
          columns: columns.map((column) => ({
            ...column,
            default: column.default ?? null,
            comment: column.comment ?? null,
          })),
          constraints: constraints.map((one) => ({ ...one })),
          indexes: indexes.map((one) => ({ ...one })),
          triggers: triggers.map((one) => ({ ...one })),
          references: references.map((one) => ({ ...one, columns: [...one.columns] })),
        }),
      ),
      types: schema.types.map(({ name, definition, comment }) => ({
        name,
        definition,
        comment: comment ?? null,
      })),
      functions: schema.functions.map(({ signature, comment }) => ({ signature, comment: comment ?? null })),
      extensions: [...schema.extensions],
      migrations: migrations.map(({ migration, risk }) => ({
        version: jsonVersion(migration.version),
        description: migration.description,
        purpose: purposeOf(migration.up.text),
        reversible: migration.down !== undefined,
        risk: risk.level,
        milliseconds: durations?.get(migration.version) ?? null,
      })),
    },
    ...(document === undefined ? {} : { document }),
  };
}
