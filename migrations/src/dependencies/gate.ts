import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeDuration, InterruptedError } from '../errors.ts';
import { type DatabaseState, readState } from '../history.ts';
import { type Migration, titleOf } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Step } from '../plan.ts';
import type { Session } from '../session.ts';
import { type DependencyFile, dependencyFileName, type Need, readDependencyFile } from './dependency-file.ts';
import { NeededError, NeedMissingError } from './errors.ts';
import { publishReceipt, type Receipt, readReceipts } from './receipt.ts';

const pollMilliseconds = 100;

/** What a service has to do with others: waits for what it needs, and tells how far it is itself. */
export class DependencyGate {
  readonly #operation: Operation;
  readonly #service: string;
  readonly #file: DependencyFile;

  private constructor(operation: Operation, service: string, file: DependencyFile) {
    this.#operation = operation;
    this.#service = service;
    this.#file = file;
  }

  /** Undefined for a service without a name or without a dependencies.json. */
  static open(operation: Operation): DependencyGate | undefined {
    const { service, path, layout } = operation.settings;
    if (service === undefined || layout !== 'versioned' || !existsSync(join(path, dependencyFileName)))
      return undefined;
    const file = readDependencyFile(path);
    return file === undefined ? undefined : new DependencyGate(operation, service, file);
  }

  /** Whether a step needs another service at all. */
  concerns({ direction, version }: Pick<Step, 'direction' | 'version'>): boolean {
    return direction === 'up' && (this.#file.needs.get(version) ?? []).length > 0;
  }

  /**
   * Waits until every other service has what the migration needs. In no transaction: others must see what is published, and
   * nothing may be locked meanwhile.
   *
   * @throws {NeedMissingError} at the deadline; exit status 3
   */
  async await(
    session: Session,
    migration: Pick<Migration, 'version' | 'label' | 'description'>,
  ): Promise<void> {
    const needs = this.#file.needs.get(migration.version) ?? [];
    if (needs.length === 0) return;
    const { deadline, log, signal } = this.#operation;
    let lacking = await this.#lacking(session, needs);
    if (lacking.length === 0) return;
    // Whoever waits for this service in turn must know how far it is.
    await this.publish(session);
    log.info(`${titleOf(migration)} waits: ${lacking.join('; ')}`);
    await deadline.during('dependencies', async () => {
      while (lacking.length > 0) {
        if (signal.reason instanceof InterruptedError) throw signal.reason;
        if (deadline.remaining() <= 0 || signal.aborted) {
          throw new NeedMissingError(
            titleOf(migration),
            lacking,
            describeDuration(deadline.timeoutMilliseconds),
          );
        }
        await deadline.sleep(Math.min(pollMilliseconds, Math.max(1, deadline.remaining())), signal);
        lacking = await this.#lacking(session, needs);
      }
    });
  }

  /**
   * Whether others can do without what is above `to`.
   *
   * @throws {NeededError} exit status 6
   */
  async mayGoDown(session: Session, to: bigint): Promise<void> {
    const receipts = await readReceipts(session);
    const needed = receipts.flatMap(({ service, database, needs }) => {
      const version = needs.get(this.#service);
      if (version === undefined || version <= to || service === this.#service) return [];
      return [`${service} (database ${database}) needs ${this.#service}@${version}`];
    });
    if (needed.length > 0) throw new NeededError(this.#service, to < 0n ? 'none' : String(to), needed);
  }

  /** Tells others how far this service is. Never the reason for a run to fail. */
  async publish(session: Session): Promise<void> {
    const { settings, log } = this.#operation;
    const state: DatabaseState = await readState(session, settings.table, {
      downSql: false,
      scripts: undefined,
    });
    const outcome = await publishReceipt(session, this.#service, state, this.#file);
    if (outcome === 'published' || outcome === 'current') return;
    log.warn(
      `other services cannot see how far ${this.#service} is: the comment of ${state.database} is not written (${outcome})`,
    );
  }

  async #lacking(session: Session, needs: readonly Need[]): Promise<string[]> {
    const receipts = await readReceipts(session);
    return needs.flatMap((need) => {
      const own = receipts.filter(({ service }) => service === need.service);
      if (own.some((receipt) => has(receipt, need))) return [];
      const [nearest] = own.toSorted((a, b) => (a.version > b.version ? -1 : 1));
      if (nearest === undefined)
        return [`${need.label} is needed, and no database of this server says it is that of ${need.service}`];
      const at = nearest.version < 0n ? 'none' : String(nearest.version);
      return [
        `${need.label} is needed, and ${need.service} is at ${at}${nearest.dirty ? ' (dirty)' : ''} in ${nearest.database}`,
      ];
    });
  }
}

/** A dirty version is not there yet. */
function has({ version, dirty }: Receipt, need: Need): boolean {
  return dirty ? version > need.version : version >= need.version;
}
