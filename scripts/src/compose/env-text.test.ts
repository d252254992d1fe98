// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.
import { describe, expect, it } from 'vitest';
import { envCases, hardValues } from '../../../test/support/compose-env-cases.ts';
import { parseEnvText, parseRawEnv, quoteEnvValue } from './env-text.ts';

const read = (text: string, environment: Readonly<Record<string, string>> = {}) =>
  parseEnvText(text, (name) => environment[name]);

describe('a .env', () => {
  it.each(envCases)('F13.1 is read as Compose reads it: %j', (text, expected) => {
    const { values, mistakes } = read(text === 'A' ? text : `${text}\n`);
    if (expected === undefined) expect(mistakes).not.toEqual([]);
    else {
      expect(mistakes).toEqual([]);
      expect(Object.fromEntries(values)).toMatchObject(expected);
    }
  });

  it('F13.1 takes variables from the environment first, then from the lines before', () => {
    const { values } = read('A=1\nB=$A$C$D\nC=2\nNAME\n', { A: 'env', D: 'd', NAME: 'inherited' });
    expect(Object.fromEntries(values)).toEqual({ A: '1', B: 'envd', C: '2', NAME: 'inherited' });
  });

  it('F13.1 says of every mistake where it stands, and by which rule', () => {
    const { mistakes } = read("A=1\r\nexport B C=2\n  D=${A\n/=1\nE=${F:?give it}\nG=x\nH='\nI=1\n");
    expect(mistakes).toEqual([
      { line: 2, column: 9, text: 'expected NAME=value, got a blank in the name' },
      {
        line: 3,
        column: 5,
        text: 'cannot fill in "${A": expected a variable name and "}" after "${"; write "$$" for a dollar sign',
      },
      { line: 4, column: 1, text: 'expected NAME=value, got "/" in the name' },
      { line: 5, column: 3, text: 'F is required: give it' },
      { line: 7, column: 3, text: "the quote ' is not closed" },
    ]);
  });

  it('F13.1 warns of a name that nobody gives a value, and of a variable that is not set', () => {
    const { values, warnings } = read('LONELY\nA=$GONE\n');
    expect(Object.fromEntries(values)).toEqual({ A: '' });
    expect(warnings).toEqual([
      { line: 1, column: 1, text: 'LONELY has no value, and nor has it in the environment' },
      { line: 2, column: 3, text: 'GONE is not set; it counts as empty' },
    ]);
  });
});

describe('a value that is written', () => {
  it.each(hardValues)('F13.1 reads back as it was: %j', (value) => {
    const { values, mistakes } = read(`A=${quoteEnvValue(value)}\nB=1\n`, { HOME: 'no', A: 'no' });
    expect(mistakes).toEqual([]);
    expect(Object.fromEntries(values)).toEqual({ A: value, B: '1' });
  });
});

describe('an env_file of format raw', () => {
  it('F13.5 gives every value as it stands', () => {
    const text = '\uFEFFA="x" # c\r\n  B=$A\\t  \n\t# c\nG=\nE\nEE\nH=a=b\n  I=1';
    const { values, mistakes, warnings } = parseRawEnv(text, (name) => (name === 'E' ? 'env' : undefined));
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([
      { line: 6, column: 1, text: 'EE has no value, and nor has it in the environment' },
    ]);
    expect(Object.fromEntries(values)).toEqual({
      A: '"x" # c',
      B: '$A\\t  ',
      G: '',
      E: 'env',
      H: 'a=b',
      I: '1',
    });
  });

  it.each(['=1', 'A B=1', 'A =1'])('F13.5 refuses %j', (text) => {
    expect(parseRawEnv(`A=1\n${text}\n`, () => undefined).mistakes).toEqual([
      { line: 2, column: 1, text: 'expected NAME=value' },
    ]);
  });
});
