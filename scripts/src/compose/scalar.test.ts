import { describe, expect, it } from 'vitest';
import { dates } from '../../../test/support/compose-cases.ts';
import { resolveScalar } from './scalar.ts';

describe('an unquoted value', () => {
  // What Docker Compose 2.40 makes of each in `environment`.
  it.each([
    ['112233445566778899', '112233445566778899'],
    ['0123', '83'],
    ['1_000', '1000'],
    ['0b11', '3'],
    ['-0x1f', '-31'],
    ['0o17', '15'],
    ['08', '8'],
    ['1e10', '1e+10'],
    ['1234567.0', '1.234567e+06'],
    ['999999.5', '999999.5'],
    ['0.00001', '1e-05'],
    ['99999999999999999999', '1e+20'],
    ['18446744073709551615', '18446744073709551615'],
    ['-0.0', '-0'],
    ['.inf', '+Inf'],
    ['True', 'true'],
    ['yes', 'yes'],
    ['12:30', '12:30'],
    ['1e400', '1e400'],
    ['2001-13-01', '2001-13-01'],
  ])('F13.2 %s becomes %s', (source, text) => {
    expect(resolveScalar(source).text).toBe(text);
  });

  it.each(['', '~', 'null', 'NULL'])('F13.2 %j is nothing', (source) => {
    expect(resolveScalar(source).type).toBe('null');
  });

  it.each(dates)('F13.2 %s is a date', (source) => {
    expect(resolveScalar(source).type).toBe('time');
  });
});
