import { count, Failure } from '@lockstep/foundation';

/** The folder holds no script. */
export class NoScriptsError extends Failure {
  constructor(folder: string) {
    super(`${folder} holds no .sql files`, { code: 'no-migrations', exitStatus: 3 });
  }
}

/** One rule a migration file breaks, and where. */
export interface FileMistake {
  /** As shown to a person: relative to the working directory when under it. */
  readonly path: string;
  /** Absent when the mistake is the file itself: its name, its size, its missing pair. */
  readonly place?: { readonly line: number; readonly column: number };
  readonly rule: string;
  /** The code under which `validate` lists it; `file` when absent. */
  readonly code?: 'both-directions' | 'substitution';
  readonly fix?: string;
}

/** Lists every mistake in a folder of migrations at once, each with its file, its place and the rule. */
export class MigrationFilesError extends Failure {
  readonly mistakes: readonly FileMistake[];

  constructor(folder: string, mistakes: readonly FileMistake[]) {
    const files = new Set(mistakes.map(({ path }) => path)).size;
    const fixes = new Set(mistakes.flatMap(({ fix }) => (fix === undefined ? [] : [`fix: ${fix}`])));
    super(`${folder}: ${count(files, 'file')} ${files === 1 ? 'is' : 'are'} wrong`, {
      code: 'migration-files',
      exitStatus: 3,
      evidence: [
        ...mistakes.map(({ path, place, rule }) => {
          return `${path}${place === undefined ? '' : `:${place.line}:${place.column}`}  ${rule}`;
        }),
        ...fixes,
      ],
    });
    this.mistakes = mistakes;
  }
}

/** The folder of migrations holds none. */
export class NoMigrationsError extends Failure {
  /** @param layouts which layouts were considered, and what the folder has of each */
  constructor(folder: string, layouts: readonly string[] = []) {
    super(`${folder}: no migrations in this folder`, {
      code: 'no-migrations',
      exitStatus: 3,
      evidence: [
        'expected files named {version}_{description}.up.sql, such as 000001_create_users.up.sql',
        ...layouts,
      ],
    });
  }
}

/** The folder of migrations cannot be listed: it is absent, no folder, or closed to this user. */
export class MigrationsFolderError extends Failure {
  /** Whether there is nothing at its path. */
  readonly absent: boolean;

  constructor(folder: string, reason: string, cause: unknown) {
    super(`the folder of migrations ${folder} ${reason}`, {
      code: 'migrations-folder',
      exitStatus: 2,
      evidence: [
        'MIGRATIONS_PATH (or --path) names the folder that holds {version}_{description}.up.sql files',
      ],
      cause,
    });
    this.absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  }
}

/** A version was asked for that has no file and is not in the history. */
export class UnknownVersionError extends Failure {
  constructor(version: bigint, versions: readonly bigint[]) {
    const below = versions.findLast((known) => known < version);
    const above = versions.find((known) => known > version);
    const near = [below, above].filter((known) => known !== undefined).join(' and ');
    super(`there is no migration ${version}`, {
      code: 'unknown-version',
      exitStatus: 2,
      evidence: [near === '' ? 'there is none at all' : `the nearest are ${near}`],
      hint: 'migrate status',
    });
  }
}

/** A quoted string, quoted identifier, dollar quote or comment is opened and never closed. */
export class UnfinishedSqlError extends Failure {
  /** Where it opens, in UTF-16 code units. */
  readonly offset: number;
  /** What is open, as in `quoted string`. */
  readonly what: string;

  constructor(offset: number, what: string) {
    super(`the ${what} is never closed`, { code: 'unfinished-sql', exitStatus: 3 });
    this.offset = offset;
    this.what = what;
  }
}

/** SQL that no migration may hold, such as a COMMIT of its own. */
export class ForbiddenSqlError extends Failure {
  /** Where the statement begins, in UTF-16 code units. */
  readonly offset: number;

  constructor(offset: number, rule: string) {
    super(rule, { code: 'forbidden-sql', exitStatus: 3 });
    this.offset = offset;
  }
}

/** A down step has no SQL to run: no down file, and none recorded in the history. */
export class IrreversibleError extends Failure {
  readonly version: bigint;

  /** @param migration label and description, as in `000007_add_index` */
  constructor(version: bigint, migration: string, reason: string, hint: string, cause?: unknown) {
    super(`${migration} cannot go down: ${reason}`, {
      code: 'irreversible',
      exitStatus: 3,
      evidence: ['a migration goes down by its .down.sql file, else by the down SQL recorded in the history'],
      hint,
      cause,
    });
    this.version = version;
  }
}
