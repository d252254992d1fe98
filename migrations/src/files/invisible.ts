/** Blank space other than the plain space, and what has no width: neither shows that it is there. */
const invisible =
  /[\p{Cf}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5/gu;

const names: Readonly<Record<string, string>> = {
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u202e': 'right-to-left override',
  '\u202f': 'narrow no-break space',
  '\u2060': 'word joiner',
  '\u3000': 'ideographic space',
  '\ufeff': 'byte order mark',
};

/** Names the characters of a text that nobody sees: `U+00A0 (no-break space) behind "1_add"`; undefined without one. */
export function nameInvisible(text: string): string | undefined {
  const found = [...text.matchAll(invisible)].map(({ 0: character, index }) => {
    const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    const name = names[character];
    const before = text.slice(0, index).replace(invisible, '');
    return `${code}${name === undefined ? '' : ` (${name})`} ${before === '' ? 'at its beginning' : `behind "${before}"`}`;
  });
  const [first] = found;
  return found.length > 1 ? `${first} and ${found.length - 1} more` : first;
}
