import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { ApiRefusal } from './refusal.ts';

/** Longest duration accepted, so that no sum leaves the range of dates: ten years. */
const longestSeconds = 10 * 365 * 24 * 3600;

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses a duration as Vault does: whole seconds as a number or text, or `1h30m`. Undefined when it is none. */
export function parseSeconds(value: Json): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && inRange(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  if (value === '') return 0;
  if (/^\d{1,10}$/.test(value)) return parseSeconds(Number(value));
  if (!/^(?:\d{1,10}[smhd]){1,4}$/.test(value)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+)([smhd])/g)) {
    seconds += Number(amount) * (units[unit ?? 's'] ?? 1);
  }
  return inRange(seconds) ? seconds : undefined;
}

function inRange(seconds: number): boolean {
  return seconds >= 0 && seconds <= longestSeconds;
}

/** Seconds as Go prints a duration: `1h30m0s`. */
export function showSeconds(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours > 0) return `${hours}h${minutes}m${seconds % 60}s`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** Reads the fields of a request's body; each reader refuses a value of the wrong kind with 400. */
export class Fields {
  readonly #body: JsonObject;
  readonly #known = new Set<string>();

  constructor(body: JsonObject) {
    this.#body = body;
  }

  /** The value as it is; undefined when absent or null. */
  raw(name: string): Json | undefined {
    this.#known.add(name);
    return Object.hasOwn(this.#body, name) ? (this.#body[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(name, 'expected a string');
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new ApiRefusal(400, `missing ${name}`);
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    if (value === 'true' || value === 1 || value === '1') return true;
    if (value === 'false' || value === 0 || value === '0') return false;
    throw this.#wrong(name, 'expected a boolean');
  }

  /** A whole number, not negative. */
  amount(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    throw this.#wrong(name, 'expected a whole number, not negative');
  }

  seconds(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const seconds = parseSeconds(value);
    if (seconds === undefined)
      throw this.#wrong(name, 'expected a duration such as 90, "90s" or "1h", up to ten years');
    return seconds;
  }

  /** A list of texts, or one text with commas. */
  texts(name: string): string[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const items = typeof value === 'string' ? value.split(',') : value;
    if (!Array.isArray(items)) throw this.#wrong(name, 'expected a list of strings');
    return items
      .map((item) => {
        if (typeof item !== 'string') throw this.#wrong(name, 'expected a list of strings');
        return item.trim();
      })
      .filter((item) => item !== '');
  }

  /** A list of whole numbers, as numbers or text, or one text with commas. */
  amounts(name: string): number[] {
    const value = this.raw(name);
    const items =
      typeof value === 'string'
        ? value.split(',')
        : Array.isArray(value)
          ? value
          : value === undefined
            ? []
            : [value];
    return items.map((item) => {
      const number = typeof item === 'string' && /^\s*\d{1,15}\s*$/.test(item) ? Number(item) : item;
      if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
      throw this.#wrong(name, 'expected a list of whole numbers');
    });
  }

  object(name: string): JsonObject | undefined {
    const value = this.raw(name);
    if (value === undefined || isJsonObject(value)) return value;
    throw this.#wrong(name, 'expected an object');
  }

  /** Refuses `name` when it asks for something, because to ignore it would change what the request means. */
  unsupported(...names: string[]): void {
    for (const name of names) {
      const value = this.raw(name);
      const asks = value !== undefined && value !== '' && value !== 0 && value !== '0' && value !== false;
      if (
        asks &&
        !(Array.isArray(value) && value.length === 0) &&
        value !== 'default' &&
        value !== 'service'
      ) {
        throw new ApiRefusal(400, `${name} is not supported by the embedded development Vault`);
      }
    }
  }

  /** Vault's warning about fields nothing has read. */
  warnings(): string[] {
    const unread = Object.keys(this.#body).filter((name) => !this.#known.has(name));
    return unread.length === 0
      ? []
      : [`Endpoint ignored these unrecognized parameters: [${unread.slice(0, 20).join(' ')}]`];
  }

  #wrong(name: string, rule: string): ApiRefusal {
    return new ApiRefusal(400, `error converting input for field ${JSON.stringify(name)}: ${rule}`);
  }
}
