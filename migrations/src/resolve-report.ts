import { count } from '@lockstep/foundation';
import { DocumentedFailure } from './errors.ts';
import { type Json, jsonVersion } from './json.ts';
import { titleOf } from './migration.ts';
import type { Report, ReportNames } from './report.ts';
import type { DirtyState, ResolveResult } from './resolve.ts';

/** The schema does not tell what to record, or a step landed in part: somebody must decide. */
export class UnresolvedError extends DocumentedFailure {
  readonly document: Readonly<Record<string, Json>>;

  constructor(name: string, dirty: DirtyState) {
    super(`${name} is dirty at ${dirty.label}, and what landed is not for a program to complete`, {
      code: 'dirty',
      exitStatus: 5,
      evidence: [
        ...describeDirty(dirty),
        'complete it or undo it by hand, then: migrate resolve --applied, or migrate resolve --pending',
      ],
    });
    this.document = { dirty: jsonDirty(dirty) };
  }
}

/** What the schema tells, a line each. */
export function describeDirty(dirty: DirtyState): string[] {
  const { label, description, direction, statements, of, objects, failure, verdict } = dirty;
  const counted =
    statements === undefined
      ? 'another tool ran it, and did not count its statements'
      : `${statements} of ${count(of, 'statement')} landed for certain, the next may have`;
  const words = {
    landed: 'all that it makes is there',
    'not landed': 'nothing that it makes is there',
    partly: 'a part of what it makes is there',
    unknown: 'the schema alone does not tell: it changes rows, or nothing that a catalog shows',
  };
  return [
    `${titleOf({ label, description })} (${direction}) began and did not finish; ${counted}`,
    ...objects.slice(0, 20).map(({ name, standing }) => `  ${standing}: ${name}`),
    ...(objects.length > 20 ? [`  and ${objects.length - 20} more`] : []),
    ...(failure === undefined ? [] : [`the file does not run in a scratch database either: ${failure}`]),
    words[verdict],
  ];
}

/** `resolve`. */
export function reportResolve(result: ResolveResult, { service }: ReportNames): Report {
  const { database, dirty, recorded, isDryRun } = result;
  const name = service ?? database;
  if (dirty === undefined) {
    return {
      text: `${name} is not dirty; nothing to resolve`,
      json: { service: service ?? null, database, dirty: null, recorded: null, dryRun: isDryRun },
    };
  }
  const verb = isDryRun ? 'would be recorded' : 'is recorded';
  const last = recorded === undefined ? [] : [`${dirty.label} ${verb} as ${recorded}; nothing was run`];
  return {
    text: [
      `${name}: ${last[0] ?? 'nothing was recorded'}`,
      ...describeDirty(dirty).map((line) => `  ${line}`),
    ].join('\n'),
    json: {
      service: service ?? null,
      database,
      dirty: jsonDirty(dirty),
      recorded: recorded ?? null,
      dryRun: isDryRun,
    },
  };
}

function jsonDirty(dirty: DirtyState): Json {
  const { version, direction, description, statements, of, objects, failure, verdict } = dirty;
  return {
    version: jsonVersion(version),
    direction,
    description,
    statementsLanded: statements ?? null,
    statements: of,
    verdict,
    objects: objects.map(({ name, standing }) => ({ name, standing })),
    failure: failure ?? null,
  };
}
