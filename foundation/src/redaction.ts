const mask = '****';
/** Masked wherever they appear. */
const unmistakable = new Set<string>();
/** Masked only where a secret stands; what finds each there. */
const wordLike = new Map<string, RegExp>();

const label = String.raw`(?:passw(?:or)?d|pwd|token|secret(?:[_-]?id)?|bearer|credentials?)\w*`;
const labelPattern = new RegExp(label, 'i');

/**
 * Remembers `value` so that {@link redact} masks it wherever it appears, also percent-encoded. Called where a secret
 * enters the program (a file, Vault, a connection string). Values shorter than four characters are ignored: masking
 * them would shred ordinary text.
 *
 * A secret that looks like a word or a name (`postgres`, `root`, `wrong`) is masked only where a secret stands: after a label
 * such as `password` or `token`, and in the address of a URL. Elsewhere it would erase words, names and files that say what
 * went wrong, and whoever reads a text with a gap can tell the secret by it.
 */
export function markSecret(value: string): void {
  if (value.length < 4) return;
  if (looksLikeWords(value)) {
    wordLike.set(value, placesOf(value));
    return;
  }
  unmistakable.add(value);
  // A lone surrogate has no percent-encoding.
  if (value.isWellFormed()) unmistakable.add(encodeURIComponent(value));
}

/** Masks marked secrets, the password of any URL, and the value of any `password=` pair in `text`. */
export function redact(text: string): string {
  let masked = text;
  // Longest first, so that a secret which contains another is masked whole.
  for (const secret of [...unmistakable].sort((a, b) => b.length - a.length)) {
    masked = masked.replaceAll(secret, mask);
  }
  for (const places of wordLike.values()) masked = masked.replace(places, mask);
  return masked
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s]*@(?=[^\s@]*(?:\s|$))/gi, `$1:${mask}@`)
    .replace(
      /\b(password|passwd|pgpassword|secret_id|token)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)/gi,
      `$1$2${mask}`,
    );
}

/** {@link redact} for a value under a name, as in JSON: a secret of any kind that is all of `value` is masked under a label. */
export function redactField(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return wordLike.has(value) && labelPattern.test(name) ? mask : redact(value);
}

/**
 * Masks the strings inside a line of JSON, each for itself, and returns the line as JSON again. {@link redact} on the
 * whole line would miss a secret that JSON escapes, and a masked `password=` pair would swallow the closing quote.
 */
export function redactJson(line: string): string {
  return `${JSON.stringify(JSON.parse(line, redactField))}\n`;
}

/**
 * Whether a text could be one of our own words, a name or a path: letters and what joins them, and digits where it is short. What
 * is generated (base64, hexadecimal, UUID) never is: it is longer, and has digits, or a run of twenty letters.
 */
function looksLikeWords(value: string): boolean {
  if (!/^[\p{L}\p{N} _./:-]+$/u.test(value) || /\p{L}{20}/u.test(value)) return false;
  const changes = value.match(/\p{Ll}(?=[\p{Lu}\p{N}])|\p{Lu}(?=\p{N})|\p{N}(?=\p{L})/gu);
  return value.length < 12 ? (changes?.length ?? 0) < 3 : !/\p{N}/u.test(value);
}

/** Finds a secret in quotes after a label, or unquoted after the label's `=`, or as the rest of a line after its `:`. */
function placesOf(value: string): RegExp {
  const secret = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const quoted = String.raw`(?<=${label}["']?\s*[:=]?\s*["'])${secret}(?=["'])`;
  const assigned = String.raw`(?<=${label}["']?\s*=\s*)${secret}(?![\w-])`;
  const rest = String.raw`(?<=${label}["']?:[ \t]*)${secret}(?=[ \t]*$)`;
  return new RegExp(`${quoted}|${assigned}|${rest}`, 'gim');
}
