import { createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto';

/**
 * Turns secrets into keys under which to keep what belongs to them.
 *
 * A look-up by the keyed hash takes the same time for any guess, and the memory holds no secret in clear. The key
 * lives and dies with the process.
 */
export class SecretHash {
  readonly #key = randomBytes(32);

  of(secret: string): string {
    return createHmac('sha256', this.#key).update(secret).digest('base64');
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function randomText(length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

/** A token of Vault's shape, `hvs.` and 24 characters. */
export function newToken(): string {
  return `hvs.${randomText(24)}`;
}

/** The handle by which a token can be looked up and revoked, but not used. */
export function newAccessor(): string {
  return randomText(24);
}

/** Role ids, secret ids and request ids are UUIDs. */
export function newId(): string {
  return randomUUID();
}

/** The key that unseals: 32 bytes in hexadecimal. */
export function newUnsealKey(): string {
  return randomBytes(32).toString('hex');
}
