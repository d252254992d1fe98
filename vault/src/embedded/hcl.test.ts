import { describe, expect, it } from 'vitest';
import { parseHcl } from './hcl.ts';

const plain = (text: string) =>
  JSON.parse(JSON.stringify(parseHcl(text), (key, value) => (key === 'at' ? undefined : value)));

describe('parseHcl', () => {
  it('reads blocks with a label, and all kinds of values', () => {
    const text =
      'path "a/*" {\n  list = ["x", "y",]\n  number = -1.5\n  yes = true\n  nested { deep = "z" }\n}';
    expect(plain(text)).toEqual({
      items: [
        {
          keys: ['path', 'a/*'],
          value: {
            items: [
              { keys: ['list'], value: ['x', 'y'] },
              { keys: ['number'], value: -1.5 },
              { keys: ['yes'], value: true },
              { keys: ['nested'], value: { items: [{ keys: ['deep'], value: 'z' }] } },
            ],
          },
        },
      ],
    });
  });

  it('skips the three kinds of comments, a byte-order mark and CRLF', () => {
    const text = '\uFEFF# one\r\n// two\r\n/* three\r\n } */ a = "b" // "c"\r\n';
    expect(plain(text)).toEqual({ items: [{ keys: ['a'], value: 'b' }] });
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: HCL's interpolation, not ours
  it('reads escapes, and leaves comment signs and interpolation inside strings alone', () => {
    expect(plain('a = "q\\"\\\\\\n\\u00e9 # // /* ${x}"')).toEqual({
      items: [{ keys: ['a'], value: 'q"\\\né # // /* ${x}' }],
    });
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: HCL's interpolation, not ours

  it('reads heredocs, indented and not', () => {
    expect(plain('a = <<EOF\n one\nEOF\nb = <<-END\n   two\n   END\n')).toEqual({
      items: [
        { keys: ['a'], value: ' one\n' },
        { keys: ['b'], value: 'two\n' },
      ],
    });
  });

  it.each([
    ['path "a" {', 'At 1:10: this "{" is never closed'],
    ['a = "b', 'At 1:5: this string is never closed'],
    ['a = "b\nc"', 'At 1:5: this string is never closed'],
    ['a = [1, 2,', 'At 1:5: this "[" is never closed'],
    ['a = [1, 2', 'At 1:10: expected "," or "]", found the end'],
    ['a = [1 2]', 'At 1:8: expected "," or "]", found "2"'],
    ['\n\n  a = ?', 'At 3:7: expected a value, found "?"'],
    ['a = /* x', 'At 1:5: this comment is never closed'],
    ['a = "\\q"', 'At 1:5: unknown escape \\q in this string'],
    ['a = 12abc', 'At 1:5: expected a value, found "1"'],
    ['a', 'At 1:2: expected a key, "=" or "{", found the end'],
    ['} a = 1', 'At 1:1: expected a key, found "}"'],
    ['a = <<EOF\nb', 'At 1:5: no line ends this text with EOF'],
    ['a\0 = 1', 'At 1:2: expected a key, "=" or "{", found "\\u0000"'],
    [`a = ${'['.repeat(100)}`, 'At 1:38: too deeply nested'],
    ['{'.repeat(3), 'At 1:1: expected a key, "=" or "{", found "{"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseHcl(text)).toThrow(message);
  });

  it('takes a text of 9,000 lines in well under a second', () => {
    const text = 'path "secret/data/x" {\n capabilities = ["read"] # why\n}\n'.repeat(3_000);
    const startedAt = process.cpuUsage();
    expect(parseHcl(text).items).toHaveLength(3_000);
    expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(1_000);
  });
});
