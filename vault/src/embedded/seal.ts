import { createHash, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import { ApiRefusal } from './refusal.ts';
import { newId, newUnsealKey } from './secrets.ts';

/** What this server calls itself: the API version it follows, and that it is not the real one. */
export const version = '1.20.0+lockstep.embedded';

/** Whether the server is initialised and sealed. One key share unseals it. */
export class Seal {
  readonly #clusterId = newId();
  #keyDigest: Buffer | undefined;
  #sealed = true;

  get initialised(): boolean {
    return this.#keyDigest !== undefined;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Sets the key that unseals. The server stays sealed. */
  initialise(unsealKey = newUnsealKey()): string {
    if (this.initialised) throw new ApiRefusal(400, 'Vault is already initialized');
    this.#keyDigest = digest(unsealKey);
    return unsealKey;
  }

  /** Refuses everything but the state from here on; what is stored stays. */
  seal(): void {
    this.#sealed = true;
  }

  /** @throws {ApiRefusal} 400 when the key is another one */
  unseal(key: string): void {
    if (this.#keyDigest === undefined) throw new ApiRefusal(400, 'server is not yet initialized');
    if (!timingSafeEqual(digest(key), this.#keyDigest)) {
      throw new ApiRefusal(400, 'Unsealing failed, invalid key');
    }
    this.#sealed = false;
  }

  /** The body of `sys/seal-status`. */
  status(): JsonObject {
    return {
      type: 'shamir',
      initialized: this.initialised,
      sealed: this.#sealed,
      t: this.initialised ? 1 : 0,
      n: this.initialised ? 1 : 0,
      progress: 0,
      nonce: '',
      version,
      build_date: '',
      migration: false,
      ...(this.#sealed ? {} : { cluster_name: 'lockstep-embedded', cluster_id: this.#clusterId }),
      recovery_seal: false,
      storage_type: 'inmem',
    };
  }

  /** The body of `sys/health` and its status, which the query may replace: `?sealedcode=200`. */
  health(query: URLSearchParams): { status: number; body: JsonObject } {
    const status = !this.initialised
      ? code(query, 'uninitcode', 501)
      : this.#sealed
        ? code(query, 'sealedcode', 503)
        : code(query, 'activecode', 200);
    const body = {
      initialized: this.initialised,
      sealed: this.#sealed,
      standby: false,
      performance_standby: false,
      replication_performance_mode: this.#sealed ? 'unknown' : 'disabled',
      replication_dr_mode: this.#sealed ? 'unknown' : 'disabled',
      server_time_utc: Math.floor(Date.now() / 1000),
      version,
      enterprise: false,
      ...(this.#sealed ? {} : { cluster_name: 'lockstep-embedded', cluster_id: this.#clusterId }),
    };
    return { status, body };
  }
}

const codes = [
  'activecode',
  'sealedcode',
  'uninitcode',
  'standbycode',
  'drsecondarycode',
  'performancestandbycode',
];

function code(query: URLSearchParams, wanted: string, usual: number): number {
  for (const name of codes) {
    const value = query.get(name);
    // Not every number is a status that can be sent.
    if (value !== null && !/^[2-5]\d\d$/.test(value)) throw new ApiRefusal(400);
  }
  return Number(query.get(wanted) ?? usual);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key.trim()).digest();
}
