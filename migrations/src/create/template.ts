import { locate } from '../position.ts';
import { CreateRefusedError } from './errors.ts';

/** A pair of files with `{{placeholders}}`. */
export interface Template {
  /** Also of the files that override it: `templates/<name>.up.sql` and `.down.sql`. */
  readonly name: string;
  /** Added to the description of a type that writes several pairs. */
  readonly suffix: string;
  readonly up: string;
  readonly down: string;
}

export type Values = Readonly<Record<string, string>>;

const placeholder = /\{\{([^{}]*)\}\}/g;

/** One file of a template, and its name for messages. */
export interface TemplateText {
  readonly text: string;
  readonly path: string;
}

/**
 * Puts values into a template; what a value holds is not looked at again.
 * @throws {CreateRefusedError} for a placeholder that is not known here, with its place; exit status 3
 */
export function fill({ text, path }: TemplateText, values: Values): string {
  const wrong: string[] = [];
  const filled = text.replace(placeholder, (whole, inner: string, offset: number) => {
    const name = inner.trim();
    if (Object.hasOwn(values, name)) return values[name] ?? '';
    const { line, column } = locate(text, offset);
    wrong.push(`${path}:${line}:${column}  ${whole} is not known here`);
    return whole;
  });
  if (wrong.length === 0) return filled.endsWith('\n') ? filled : `${filled}\n`;
  const known = Object.keys(values)
    .sort()
    .map((name) => `{{${name}}}`);
  throw new CreateRefusedError(
    `the template ${path} has unknown placeholders`,
    [...wrong, `known are ${known.join(', ')}`],
    3,
  );
}
