import { CreateRefusedError } from './errors.ts';
import type { Names } from './names.ts';

/** A column of `--column`. */
export interface NewColumn {
  readonly name: string;
  readonly type: string;
  readonly primary: boolean;
  readonly required: boolean;
  readonly unique: boolean;
  readonly default: string | undefined;
}

const option = '--column';

/**
 * Reads `id:bigint:pk, price:numeric(10,2):not-null:default=0`. Commas and colons inside parentheses and quotes belong to the type or
 * the default.
 */
export function parseColumns(text: string, names: Names): NewColumn[] {
  const columns = cut(text, ',').map((part) => parseColumn(part.trim(), names));
  const twice = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) throw new CreateRefusedError(`${option}: ${twice.name} is named twice`);
  return columns;
}

function parseColumn(text: string, names: Names): NewColumn {
  const [name = '', type, ...flags] = cut(text, ':');
  if (type === undefined)
    throw new CreateRefusedError(`${option}: expected name:type`, [JSON.stringify(text)]);
  const known = ['pk', 'not-null', 'unique'];
  const value = flags.find((flag) => flag.startsWith('default='))?.slice('default='.length);
  const unknown = flags.find((flag) => !known.includes(flag) && !flag.startsWith('default='));
  if (unknown !== undefined) {
    throw new CreateRefusedError(`${option}: unknown ${JSON.stringify(unknown)}`, [
      `known are ${known.join(', ')}, default=…`,
    ]);
  }
  return {
    name: names.identifier(name, option),
    type: names.type(type, option),
    primary: flags.includes('pk'),
    required: flags.includes('not-null') || flags.includes('pk'),
    unique: flags.includes('unique'),
    default: value === undefined ? undefined : names.value(value, option),
  };
}

/** Splits at a character that stands in no parentheses and no quotes. */
function cut(text: string, at: ',' | ':'): string[] {
  const parts = [''];
  let depth = 0;
  let quote = false;
  for (const character of text) {
    if (character === "'") quote = !quote;
    else if (!quote && (character === '(' || character === '[')) depth += 1;
    else if (!quote && (character === ')' || character === ']')) depth -= 1;
    if (character === at && depth === 0 && !quote) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** `price numeric(10,2) not null default 0` */
export function define({ name, type, required, default: value }: NewColumn): string {
  const words = [name, type, required ? 'not null' : '', value === undefined ? '' : `default ${value}`];
  return words.filter((word) => word !== '').join(' ');
}
