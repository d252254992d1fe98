import { controlOf, spellControl } from '../control.ts';
import type { SqlFile } from '../migration.ts';
import { split } from '../split.ts';
import type { Finding } from './finding.ts';
import { LineIndex } from './line-index.ts';

/** Of {@link transactionFindings}; it needs no parser of Postgres, only the words that a statement begins with. */
export const transactionCode = 'transaction-control';

/**
 * What a file says about transactions beside a BEGIN first and a COMMIT last, which are the migrator's own: where it
 * ends one, what a failure leaves; where it ends or opens one for nothing, that.
 */
export function transactionFindings(file: SqlFile): Finding[] {
  const { pieces } = split(file.text);
  const controls = pieces.flatMap((piece) => {
    const control = controlOf(piece.words);
    return control === undefined ? [] : [{ piece, control }];
  });
  const several = file.statements.some(({ control }) => control !== undefined);
  const [first, ...others] = controls;
  if (first === undefined || (!several && isWrapper(first.piece === pieces[0], controls, pieces.at(-1))))
    return [];
  const { piece } = several ? (controls.find(({ control }) => control.kind !== 'begin') ?? first) : first;
  const words = spellControl(piece);
  const [message, fix] = several
    ? [
        `${words} ends a transaction that the migrator cannot end with its own: when a later part fails, this one stays`,
        'a migration of its own for each transaction',
      ]
    : [
        others.length > 0 || first.control.kind === 'begin'
          ? 'BEGIN and COMMIT are not first and last: the migrator’s own transaction takes their place'
          : `${words} ends a transaction that the file did not begin: the migrator’s own takes its place`,
        'take them out: each migration is one transaction',
      ];
  return [
    {
      code: transactionCode,
      severity: 'warning',
      path: file.path,
      place: new LineIndex(file.text).place(piece.start),
      message,
      fix,
    },
  ];
}

type Controls = readonly {
  readonly piece: object;
  readonly control: { readonly kind: string; readonly modes: string };
}[];

/** The usual wrapping, which nothing is to be said about. */
function isWrapper(isFirst: boolean, controls: Controls, last: object | undefined): boolean {
  const [begin, end] = controls;
  return (
    isFirst &&
    controls.length === 2 &&
    begin?.control.kind === 'begin' &&
    begin.control.modes === '' &&
    end?.control.kind === 'commit' &&
    end.piece === last
  );
}
