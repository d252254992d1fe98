import type { Rule } from '../rule.ts';
import { columnRules } from './columns.ts';
import { constraintRules } from './constraints.ts';
import { dropRules } from './drops.ts';
import { indexRules } from './indexes.ts';
import { invisibleNameRules } from './invisible-names.ts';
import { nameRules } from './names.ts';
import { rowRules } from './rows.ts';
import { typeRules } from './types.ts';
import { wholeRules } from './whole.ts';

/** Every rule about a statement, as docs/rules.md lists them under the headings. */
export const ruleGroups: Readonly<Record<string, readonly Rule[]>> = {
  'Indexes and partitions': indexRules,
  Constraints: constraintRules,
  Columns: columnRules,
  'What is dropped': dropRules,
  Rows: rowRules,
  Names: [...nameRules, ...invisibleNameRules],
  Types: typeRules,
  'Tables, rights, servers': wholeRules,
};

export const rules: readonly Rule[] = Object.values(ruleGroups).flat();
