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
    ['a lone $', 'a lone $'],
    ['$1 $ $(id)', '$1 $ $(id)'],
    ['${UNSET:-{}} }', '{} }'],
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

  it.each(['${SET', '${SET!}', '${}', '${1}', '${SET:0:1}', '${UNSET:-a\n}', '${UNSET:-${SET}'])(
    'refuses %j',
    (text) => {
      const [line = ''] = text.slice(text === '${UNSET:-${SET}' ? 9 : 0).split('\n');
      const rule = 'expected a variable name and "}" after "${"; write "$$" for a dollar sign';
      expect(interpolate(text, (name) => values[name]).mistakes).toEqual([
        `cannot fill in ${JSON.stringify(line)}: ${rule}`.replace('"${SET}"', '"${SET"'),
      ]);
    },
  );

  it('does not look at a value again', () => {
    expect(interpolate('$X', () => '$X ${Y}').text).toBe('$X ${Y}');
  });
});
