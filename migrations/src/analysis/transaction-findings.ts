import { controlOf, spellControl, type TransactionControl } from '../control.ts';
import type { SqlFile } from '../migration.ts';
import { type Split, split } from '../split.ts';
import type { Finding } from './finding.ts';
import { LineIndex } from './line-index.ts';

/**
 * What a file says about transactions beside a BEGIN first and a COMMIT last, which are the migrator's own: where it
 * ends one, what a failure leaves; where it ends or opens one for nothing, that.
 */
export function transactionFindings(file: SqlFile): Finding[] {
  const { pieces } = split(file.text);
  const controls = pieces.flatMap((piece): Found[] => {
    const control = controlOf(piece.words);
    return control === undefined ? [] : [{ piece, control }];
  });
  const several = file.statements.some(({ control }) => control !== undefined);
  const [first] = controls;
  if (first === undefined || (!several && isWrapper(pieces[0], controls, pieces.at(-1)))) return [];
  const at = several ? (controls.find(({ control }) => control.kind !== 'begin') ?? first) : first;
  return [
    {
      code: 'transaction-control',
      severity: 'warning',
      path: file.path,
      place: new LineIndex(file.text).place(at.piece.start),
      message: several ? severalMessage(at) : singleMessage(at, controls),
      fix: several
        ? 'a migration of its own for each transaction'
        : 'take BEGIN and COMMIT out: each migration is one transaction',
    },
  ];
}

interface Found {
  readonly piece: Split;
  readonly control: TransactionControl;
}

/** The usual wrapping, which nothing is to be said about. */
function isWrapper(first: Split | undefined, controls: readonly Found[], last: Split | undefined): boolean {
  const [begin, end] = controls;
  return (
    controls.length === 2 &&
    begin?.piece === first &&
    begin?.control.kind === 'begin' &&
    begin.control.modes === '' &&
    end?.control.kind === 'commit' &&
    end.piece === last
  );
}

function severalMessage({ piece, control }: Found): string {
  const words = spellControl(piece);
  return control.kind === 'rollback'
    ? `${words} takes back a part of this file: it runs in several transactions, and a failure leaves some of them`
    : `${words} ends a transaction of this file's own: it stays when what follows fails`;
}

function singleMessage({ piece, control }: Found, controls: readonly Found[]): string {
  const words = spellControl(piece);
  if (control.kind !== 'begin')
    return `${words} ends a transaction that this file did not begin: the migrator's own takes its place`;
  if (control.modes !== '')
    return `${words} asks for ${control.modes}: the migrator's own transaction takes its place, with that`;
  return controls.some(({ control: { kind } }) => kind === 'commit')
    ? "BEGIN and COMMIT are not first and last: the migrator's own transaction takes their place"
    : `${words} is never ended: the migrator's own transaction takes its place, and commits`;
}
