/** Codes of the characters that Postgres' scanner gives a meaning of their own. */
export const lineFeed = 10;
export const carriageReturn = 13;
export const doubleQuote = 34;
export const dollar = 36;
export const ampersand = 38;
export const quote = 39;
export const openParenthesis = 40;
export const closeParenthesis = 41;
export const star = 42;
export const plus = 43;
export const minus = 45;
export const dot = 46;
export const slash = 47;
export const colon = 58;
export const semicolon = 59;
export const equals = 61;
export const backslash = 92;

const blank = 1;
const letter = 2;
const digit = 4;
const operator = 8;

const classes = new Uint8Array(128);
for (const [characters, flag] of [
  [' \t\n\r\f\v', blank],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_', letter],
  ['0123456789', digit],
  ['~!@#^&|`?+-*/%<>=', operator],
] as const) {
  for (const character of characters) classes[character.charCodeAt(0)] = flag;
}

function is(code: number, flags: number): boolean {
  return code < 128 && ((classes[code] ?? 0) & flags) !== 0;
}

export function isBlank(code: number): boolean {
  return is(code, blank);
}

/** What may begin a word; every character beyond ASCII may. */
export function isLetter(code: number): boolean {
  return code >= 128 || is(code, letter);
}

export function isDigit(code: number): boolean {
  return is(code, digit);
}

export function isLetterOrDigit(code: number): boolean {
  return code >= 128 || is(code, letter | digit);
}

export function isOperator(code: number): boolean {
  return is(code, operator);
}

/** The operators of the SQL standard; one made of only these does not end in a sign (`a=-1` is `a = -1`). */
export function isStandardOperator(code: number): boolean {
  return code === plus || code === minus || code === star || code === slash || (code >= 60 && code <= 62);
}
