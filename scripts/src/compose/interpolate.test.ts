// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test.
import { describe, expect, it } from 'vitest';
import { interpolate } from './interpolate.ts';

const values: Record<string, string> = { SET: 'value', EMPTY: '', INNER: 'inner' };
const fill = (text: string) => interpolate(text, (name) => values[name]).text;

describe('interpolate', () => {
  it.each([
    ['plain', 'plain'],
    ['$SET', 'value'],
    ['${SET}', 'value'],
    ['a${SET}b$SET/c', 'avaluebvalue/c'],
    ['$$SET', '$SET'],
    ['$${SET} $$$SET', '${SET} $value'],
    ['${UNSET:-default}', 'default'],
    ['${EMPTY:-default}', 'default'],
    ['${EMPTY-default}', ''],
    ['${UNSET-default}', 'default'],
    ['${SET:-default}', 'value'],
    ['${UNSET:-}', ''],
    ['${SET:+other}', 'other'],
    ['${EMPTY:+other}', ''],
    ['${EMPTY+other}', 'other'],
    ['${UNSET+other}', ''],
    ['${UNSET:-${INNER}}', 'inner'],
    ['${UNSET:-a ${EMPTY:-b $SET} c}', 'a b value c'],
    ['${UNSET:-$$}', '$'],
    ['${SET:?must be set}', 'value'],
    ['$$(cat /run/secrets/x)', '$(cat /run/secrets/x)'],
  ])('fills in %s', (text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  it('notes a variable that is required, with its message', () => {
    const result = interpolate('${UNSET:?give it a value} ${EMPTY:?}', (name) => values[name]);
    expect(result.mistakes).toEqual(['UNSET is required: give it a value', 'EMPTY is required']);
  });

  it('notes a variable that is neither set nor has a default, once it is used', () => {
    const result = interpolate('$UNSET ${ALSO} ${SET:-$NOT_USED}', (name) => values[name]);
    expect(result).toEqual({ text: '  value', mistakes: [], unset: ['UNSET', 'ALSO'] });
  });

  it.each([
    ['a lone $', 'cannot fill in "$": a variable name must follow "$"; write "$$" for a dollar sign'],
    ['$1', 'cannot fill in "$1": a variable name must follow "$"; write "$$" for a dollar sign'],
    ['${SET', 'cannot fill in "${SET": "${SET" is not closed as expected'],
    ['${SET!}', 'cannot fill in "${SET!}": "${SET" is not closed as expected'],
    ['${}', 'cannot fill in "${}": a variable name must follow "$"; write "$$" for a dollar sign'],
  ])('refuses %s', (text, mistake) => {
    expect(interpolate(text, (name) => values[name]).mistakes).toEqual([mistake]);
  });

  it('does not look at a value again', () => {
    expect(interpolate('$X', () => '$X ${Y}').text).toBe('$X ${Y}');
  });
});
