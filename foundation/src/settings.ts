import { Failure } from './failure.ts';
import { count } from './words.ts';

/** Where a setting's value came from, as shown in an error: `the environment`, `--timeout`, `.env`. */
export type SettingSource = string;

interface Mistake {
  readonly name: string;
  readonly rule: string;
  readonly value?: string;
  readonly source?: SettingSource;
}

/** Lists every wrong setting at once, with its rule, its value (unless secret) and where the value came from. */
export class SettingsError extends Failure {
  constructor(mistakes: readonly Mistake[]) {
    super(`${count(mistakes.length, 'setting')} ${mistakes.length === 1 ? 'is' : 'are'} wrong`, {
      code: 'settings',
      exitStatus: 2,
      subject: 'config',
      evidence: mistakes.map(({ name, rule, value, source }) => {
        const got = value === undefined ? '' : `, got ${JSON.stringify(shorten(value))}`;
        return `${name}: ${rule}${got}${source === undefined ? '' : ` (from ${source})`}`;
      }),
    });
  }
}

/**
 * Parses a duration: `30s`, `500ms`, `5m`, `1h`, or bare seconds (`30`). Returns milliseconds, or undefined when it
 * is none of these, zero, or over 24 hours.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) return undefined;
  const scale = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 's'] ?? 1000;
  const milliseconds = Math.round(Number(match[1]) * scale);
  return milliseconds > 0 && milliseconds <= 86_400_000 ? milliseconds : undefined;
}

/**
 * Reads untrusted settings and collects every mistake, so that all are reported at once.
 *
 * Each reader returns the parsed value, or the fallback after noting a mistake; call {@link finish} before using any.
 * An empty string counts as absent, as compose passes unset variables that way.
 */
export class SettingsReader {
  readonly #values: Readonly<Record<string, string | undefined>>;
  readonly #sourceOf: (name: string) => SettingSource;
  readonly #mistakes: Mistake[] = [];

  /** @param source where the values came from; a function of the name when they came from several places */
  constructor(
    values: Readonly<Record<string, string | undefined>>,
    source: SettingSource | ((name: string) => SettingSource) = 'the environment',
  ) {
    this.#values = values;
    this.#sourceOf = typeof source === 'string' ? () => source : source;
  }

  /** The raw value, or undefined when absent or empty. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return value === undefined || value === '' ? undefined : value;
  }

  /** The raw value, or a mistake when it is absent. */
  required(name: string, meaning: string): string {
    const value = this.text(name);
    if (value === undefined) this.mistake(name, `required: ${meaning}`);
    return value ?? '';
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T;
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined;
  oneOf<T extends string>(name: string, allowed: readonly T[], fallback?: T): T | undefined {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.mistake(name, `expected ${allowed.join(', ')}`, value);
    return found ?? fallback;
  }

  /** Milliseconds; see {@link parseDuration}. */
  duration(name: string, fallbackMilliseconds: number): number {
    const value = this.text(name);
    if (value === undefined) return fallbackMilliseconds;
    const parsed = parseDuration(value);
    if (parsed === undefined) this.mistake(name, 'expected a duration such as 30s, 500ms or 5m', value);
    return parsed ?? fallbackMilliseconds;
  }

  integer(name: string, range: { min: number; max: number }, fallback: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const parsed = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (parsed >= range.min && parsed <= range.max) return parsed;
    this.mistake(name, `expected a whole number from ${range.min} to ${range.max}`, value);
    return fallback;
  }

  /** An http or https URL without credentials, query or fragment; returned without trailing slashes. */
  httpUrl(name: string): string | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
      this.mistake(name, 'expected an http:// or https:// URL without credentials or query', value);
      return undefined;
    }
    return value.replace(/\/+$/, '');
  }

  /** Notes a mistake found by the caller. Pass no `value` for a secret. */
  mistake(name: string, rule: string, value?: string, source: SettingSource = this.#sourceOf(name)): void {
    this.#mistakes.push({ name, rule, ...(value === undefined ? {} : { value, source }) });
  }

  /** @throws {SettingsError} when any reader noted a mistake */
  finish(): void {
    if (this.#mistakes.length > 0) throw new SettingsError(this.#mistakes);
  }
}

function shorten(value: string): string {
  return value.length > 120 ? `${value.slice(0, 120)}…` : value;
}
