import type { Records, TimedStep, TrackedStep } from './bookkeeping.ts';
import type { DatabaseState, Tables } from './history.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { Migration } from './migration.ts';
import { elapsed, holdLock, landedBefore } from './record-sql.ts';
import { nameColumn } from './script-history.ts';

/** The SQL that records scripts by their names: a row in the table of names, and what it has no column for beside it. */
export class ScriptBookkeeping implements Records {
  readonly #tables: Tables;
  readonly #column: string;
  readonly #hold: string;

  constructor(tables: Tables, lock: bigint | undefined) {
    this.#tables = tables;
    this.#column = quoteIdentifier(tables.nameColumn ?? nameColumn);
    this.#hold = holdLock(lock);
  }

  landed({ step, migration }: TrackedStep): string {
    return `${this.#hold}${this.#name(step.label)}; insert into ${this.#tables.history} (name, checksum, applied_at, duration)
      values (${quoteLiteral(step.label)}, ${checksumOf(migration)}, clock_timestamp(), ${elapsed})`;
  }

  landedTogether(steps: readonly TimedStep[]): string {
    const names = steps.map(({ step }) => `(${quoteLiteral(step.label)})`);
    const rows = steps.map(
      ({ step, migration, milliseconds, ago }) =>
        `(${quoteLiteral(step.label)}, ${checksumOf(migration)}, ${landedBefore(ago)}, ${Math.round(milliseconds)})`,
    );
    return `${this.#hold}insert into ${this.#tables.version} (${this.#column}) values ${names.join(', ')};
      insert into ${this.#tables.history} (name, checksum, applied_at, duration) values ${rows.join(', ')}`;
  }

  begun({ step, migration }: TrackedStep): string {
    return `insert into ${this.#tables.history} (name, checksum, statements_applied)
      values (${quoteLiteral(step.label)}, ${checksumOf(migration)}, 0)`;
  }

  advanced({ step }: TrackedStep, statements: number): string {
    return `${this.#hold}update ${this.#tables.history} set statements_applied = ${statements} where name = ${quoteLiteral(step.label)}`;
  }

  finished({ step }: TrackedStep, milliseconds: number): string {
    return `${this.#hold}${this.#name(step.label)}; update ${this.#tables.history} set statements_applied = null,
      applied_at = clock_timestamp(), duration = ${Math.round(milliseconds)} where name = ${quoteLiteral(step.label)}`;
  }

  withdrawn({ step }: TrackedStep): string {
    return `delete from ${this.#tables.history} where name = ${quoteLiteral(step.label)}`;
  }

  /** Names are in no order that one of them could stand for: nothing to say. */
  forced(): string {
    return `${this.#hold}select`;
  }

  adopted({ label, up }: Migration): string {
    return `${this.#name(label)}; insert into ${this.#tables.history} (name, checksum, applied_at)
      values (${quoteLiteral(label)}, ${quoteLiteral(up.checksum)}, clock_timestamp())`;
  }

  #name(label: string): string {
    return `insert into ${this.#tables.version} (${this.#column}) values (${quoteLiteral(label)})`;
  }
}

/** The tables that are absent, as SQL. */
export function scriptTableTexts({ tables, present }: Pick<DatabaseState, 'tables' | 'present'>): string[] {
  const texts: string[] = [];
  if (!present.version) {
    texts.push(
      `create table ${tables.version} (${nameColumn} text not null primary key, applied_at timestamptz not null default clock_timestamp())`,
    );
  }
  if (!present.history) {
    texts.push(
      `create table ${tables.history} (name text not null primary key, checksum text, applied_at timestamptz, duration integer,
         statements_applied integer)`,
      `comment on column ${tables.history}.duration is 'milliseconds'`,
      `comment on column ${tables.history}.statements_applied is
         'set while a step outside a transaction runs: how many of its statements landed'`,
    );
  }
  return texts;
}

function checksumOf(migration: Migration | undefined): string {
  return migration === undefined ? 'null' : quoteLiteral(migration.up.checksum);
}
