import { expect, test } from 'vitest';
import { renderFailure } from './failure.ts';
import { parseDuration, SettingsReader } from './settings.ts';

test.each([
  ['30s', 30_000],
  ['500ms', 500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['30', 30_000],
  ['1.5s', 1500],
  [' 2s ', 2000],
])('%j is a duration', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', '0', '0s', '-1s', '30 s', '1e3', '25h', '99999999999', 'NaN', '٣s'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('every wrong setting is reported at once, with its rule, value and source', () => {
  const reader = new SettingsReader({
    TIMEOUT: 'soon',
    PORT: '70000',
    LEVEL: 'loud',
    URL: 'ftp://x',
    EMPTY: '',
  });
  reader.duration('TIMEOUT', 1);
  reader.integer('PORT', { min: 1, max: 65_535 }, 1);
  reader.oneOf('LEVEL', ['info', 'warn'], 'info');
  reader.httpUrl('URL');
  reader.required('EMPTY', 'the folder of the policies');
  expect(() => reader.finish()).toThrow('5 settings are wrong');
  try {
    reader.finish();
  } catch (error) {
    expect(renderFailure('migrate', error)).toBe(`config: 5 settings are wrong
  TIMEOUT: expected a duration such as 30s, 500ms or 5m, got "soon" (from the environment)
  PORT: expected a whole number from 1 to 65535, got "70000" (from the environment)
  LEVEL: expected info, warn, got "loud" (from the environment)
  URL: expected an http:// or https:// URL without credentials or query, got "ftp://x" (from the environment)
  EMPTY: required: the folder of the policies
`);
  }
});

test('an empty value counts as absent, as compose passes unset variables that way', () => {
  const reader = new SettingsReader({ TIMEOUT: '' });
  expect(reader.duration('TIMEOUT', 7)).toBe(7);
  reader.finish();
});
