import { expect, test } from 'vitest';
import { findInvisible } from './invisible.ts';

const namesIn = (text: string, inStrings = false) => findInvisible(text, inStrings).map(({ name }) => name);

test.each([
  ['select\u00a0id from t', ['U+00A0, a no-break space']],
  ['select "a\u200b" from t\u2060', ['U+200B, a zero-width space', 'U+2060, a word joiner']],
  ['\ufeffselect 1', ['U+FEFF, a byte order mark']],
  [
    'select \u2018a\u2019',
    ["U+2018, a typographic quote, and not '", "U+2019, a typographic quote, and not '"],
  ],
  ['select 1 \u2013 1\uff1b', ['U+2013, a dash, and not -', 'U+FF1B, a full-width character']],
  ["/* \u00a0 */ -- \u200b\nselect '\u00a0'", []],
  ['select caf\u00e9, na\u00efve, \u540d\u524d from t', []],
  // A zero-width joiner is how some scripts are written.
  ['select \u0646\u200c\u0647 from t', []],
])('F10.3 in %j are found %j', (text, names) => {
  expect(namesIn(text)).toEqual(names);
});

test('F10.3 strings are looked at where an error may be about them, and what is before an open quote', () => {
  expect(namesIn("select '1\u00a0'::int", true)).toEqual(['U+00A0, a no-break space']);
  expect(namesIn("select a\u200b, 'never closed")).toEqual(['U+200B, a zero-width space']);
});
