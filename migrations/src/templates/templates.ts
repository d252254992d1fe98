import { DatabaseError } from 'pg';
import { spareName } from '../database-names.ts';
import type { DatabaseProperties } from '../database-properties.ts';
import type { Tables } from '../history.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { dropText } from '../maintenance.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { readSurroundings } from './surroundings.ts';
import { templateKeys } from './template-key.ts';
import {
  copyText,
  findSpares,
  findTemplates,
  keepWithin,
  makeTemplate,
  noteUse,
  type Template,
  templateTexts,
} from './template-store.ts';

/** A copy takes about as long: what was made faster is not worth one. */
const worthMilliseconds = 100;
/**
 * At the first run apps are about to come in, which the copy keeps waiting, and other services make theirs at the same time: what a recreate
 * makes again within this is left to the first recreate.
 */
const firstWorthMilliseconds = 1000;

/** What templates are of. */
export interface TemplateSource {
  readonly database: string;
  /** Of the database before its first migration. */
  readonly properties: DatabaseProperties;
  readonly tables: Tables;
  readonly migrations: readonly Migration[];
}

/**
 * The migrated databases that are kept to start from, on the same server: one for each content of the migrations that was worth it.
 * `maintenance` is a session outside the database.
 */
export class Templates {
  readonly #operation: Operation;
  readonly #maintenance: Session;
  readonly #source: TemplateSource;
  #texts: string | undefined;
  #keys: Promise<string[]> | undefined;

  constructor(operation: Operation, maintenance: Session, source: TemplateSource) {
    this.#operation = operation;
    this.#maintenance = maintenance;
    this.#source = source;
  }

  /** Whether anything is kept. */
  static wanted({ settings }: Operation): boolean {
    return settings.templateBytes > 0;
  }

  /** Whether what took so long to make is worth a template; `first` for the first run of a database. */
  static isWorth(milliseconds: number, first = false): boolean {
    return milliseconds >= (first ? firstWorthMilliseconds : worthMilliseconds);
  }

  /**
   * Makes the database `name` from the template of the longest beginning of the migrations; returns how many of them it holds, 0 when
   * there is none. The copy lacks what is outside a database: its grants, settings and comment.
   */
  async copyLongest(name: string): Promise<number> {
    const { database, properties } = this.#source;
    const templates = await findTemplates(this.#maintenance, database);
    if (templates.length === 0) return 0;
    const byKey = new Map(templates.map((template) => [template.key, template]));
    const keys = await this.keys();
    for (let count = keys.length; count > 0; count--) {
      const key = keys[count - 1] ?? '';
      const template = byKey.get(key);
      if (template === undefined) continue;
      await this.#copy(template, name, properties);
      await noteUse(this.#maintenance, template);
      return count;
    }
    return 0;
  }

  /**
   * Whether the database of the first `count` migrations was wished for before, when only a template of those before them was there.
   * Notes that it is wished for now: a migration that is being written has another content each time, and is worth none.
   */
  async wasWished(count: number): Promise<boolean> {
    const keys = await this.#keysNow();
    const key = keys[count - 1];
    const templates = await findTemplates(this.#maintenance, this.#source.database);
    const start = templates.find((template) => template.key === keys[count - 2]);
    if (key === undefined || start === undefined) return false;
    if (start.wished === key) return true;
    await noteUse(this.#maintenance, { ...start, wished: key });
    return false;
  }

  /**
   * What makes a copy of the template of all migrations beforehand, so that the next recreate takes it as it is, however large it is.
   * For {@link leaveOn}; nothing when there is no such template.
   */
  async spareTexts(): Promise<string[]> {
    const { database, properties, migrations } = this.#source;
    const key = (await this.keys())[migrations.length - 1];
    const templates = await findTemplates(this.#maintenance, database);
    const template = templates.find((one) => one.key === key);
    const spare = template && spareName(database, template.key);
    const present = await findSpares(this.#maintenance, database);
    const drops = present.filter((name) => name !== spare).map(dropText);
    if (template === undefined || spare === undefined || present.includes(spare)) return drops;
    return [
      ...drops,
      copyText(template.name, spare, `owner ${quoteIdentifier(properties.owner)} allow_connections false`),
    ];
  }

  async #copy(
    template: Template,
    name: string,
    { owner, connectionLimit }: DatabaseProperties,
  ): Promise<void> {
    const spare = spareName(this.#source.database, template.key);
    const limits = `allow_connections true connection limit ${connectionLimit}`;
    if ((await findSpares(this.#maintenance, this.#source.database)).includes(spare)) {
      try {
        await this.#maintenance.query(
          `alter database ${quoteIdentifier(spare)} rename to ${quoteIdentifier(name)}`,
        );
        await this.#maintenance.query(`alter database ${quoteIdentifier(name)} with ${limits}`);
        return;
      } catch (error) {
        if (!(error instanceof DatabaseError) || this.#operation.signal.aborted) throw error;
        this.#operation.log.debug(`the spare copy ${spare} cannot be taken: ${error.message}`);
      }
    }
    await this.#maintenance.query(copyText(template.name, name, `owner ${quoteIdentifier(owner)} ${limits}`));
  }

  /**
   * Keeps the database `name`, in which the first `count` migrations are and no session is, as a template. Never fails for a reason of
   * the server's: a run that did its work is no failure for it.
   */
  async keep(name: string, count: number): Promise<void> {
    const { log, settings } = this.#operation;
    const { database, properties } = this.#source;
    try {
      const key = (await this.#keysNow())[count - 1];
      if (key === undefined) return;
      const startedAt = performance.now();
      await makeTemplate(this.#maintenance, { database, source: name, owner: properties.owner, key });
      const dropped = await keepWithin(this.#maintenance, database, settings.templateBytes);
      log.debug(`kept a template of ${count} migrations, ${Math.round(performance.now() - startedAt)} ms`);
      for (const other of dropped) log.debug(`dropped the template ${other}: it was not used for longest`);
    } catch (error) {
      if (!(error instanceof DatabaseError) || this.#operation.signal.aborted) throw error;
      log.debug(`no template was kept: ${error.message}`);
    }
  }

  /** What keeps the database itself, with all of the migrations, as a template; for {@link Session.leave}. */
  async keepingTexts(): Promise<string[]> {
    const { database, properties, migrations } = this.#source;
    const key = (await this.keys())[migrations.length - 1];
    if (key === undefined) return [];
    return templateTexts({ database, source: database, owner: properties.owner, key });
  }

  /** Whether a migration or a grant names the role; a word that only looks like it does no harm. */
  #isNamed(role: string): boolean {
    const { migrations, properties } = this.#source;
    this.#texts ??= [JSON.stringify(properties), ...migrations.map(({ up }) => up.text)].join('\n');
    return this.#texts.includes(role);
  }

  /** The key of each beginning of the migrations, as things were when they were last read; see {@link templateKeys}. */
  keys(): Promise<string[]> {
    this.#keys ??= this.#readKeys();
    return this.#keys;
  }

  /** The same after migrations ran: they make roles. */
  #keysNow(): Promise<string[]> {
    this.#keys = undefined;
    return this.keys();
  }

  async #readKeys(): Promise<string[]> {
    const { properties, tables, migrations } = this.#source;
    const { layout, environment } = this.#operation.settings;
    const circumstances = {
      properties,
      surroundings: await readSurroundings(this.#maintenance, (role) => this.#isNamed(role)),
      trackingSchema: tables.schema,
      trackingTable: tables.name,
      layout,
      environment,
      today: new Date().toISOString().slice(0, 10),
    };
    return templateKeys(circumstances, migrations);
  }
}
