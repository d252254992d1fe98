const mask = '****';
const secrets = new Set<string>();

/**
 * Remembers `value` so that {@link redact} masks it wherever it appears, also percent-encoded. Called where a secret
 * enters the program (a file, Vault, a connection string). Values shorter than four characters are ignored: masking
 * them would shred ordinary text.
 */
export function markSecret(value: string): void {
  if (value.length < 4) return;
  secrets.add(value);
  // A lone surrogate has no percent-encoding.
  if (value.isWellFormed()) secrets.add(encodeURIComponent(value));
}

/** Masks marked secrets, the password of any URL, and the value of any `password=` pair in `text`. */
export function redact(text: string): string {
  let masked = text;
  // Longest first, so that a secret which contains another is masked whole.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    masked = masked.replaceAll(secret, mask);
  }
  return masked
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s]*@(?=[^\s@]*(?:\s|$))/gi, `$1:${mask}@`)
    .replace(
      /\b(password|passwd|pgpassword|secret_id|token)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)/gi,
      `$1$2${mask}`,
    );
}

/**
 * Masks the strings inside a line of JSON, each for itself, and returns the line as JSON again. {@link redact} on the
 * whole line would miss a secret that JSON escapes, and a masked `password=` pair would swallow the closing quote.
 */
export function redactJson(line: string): string {
  const masked = JSON.stringify(
    JSON.parse(line, (_key, value) => (typeof value === 'string' ? redact(value) : value)),
  );
  return `${masked}\n`;
}
