/** No number of JavaScript has as many characters. */
const longestNumber = 400;

/**
 * Whether JSON that was read holds a number that JavaScript's do not keep: `1e400` (infinite), 9007199254740993 (rounded).
 * Vault keeps numbers as they are written.
 *
 * @param text well-formed JSON
 */
export function losesNumber(text: string): boolean {
  const number = /-?\d[\d.eE+-]*/y;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index] ?? '';
    if (letter === '"') index = endOfString(text, index);
    else if (letter === '-' || (letter >= '0' && letter <= '9')) {
      number.lastIndex = index;
      const token = number.exec(text)?.[0] ?? letter;
      if (token.length > longestNumber || decimal(token) !== decimal(String(Number(token)))) return true;
      index += token.length - 1;
    }
  }
  return false;
}

/** Where the string that begins at `start` has its closing quote. By hand, like the depth of a text: it may have 32 MB. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
}

/** One spelling for equal numbers: the digits without zeros around them, and the power of ten. */
function decimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  if (whole === '') return number;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  if (short === '') return '0';
  return `${sign}${short}e${BigInt(power) - BigInt(fraction.length) + BigInt(digits.length - short.length)}`;
}
