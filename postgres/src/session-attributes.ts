import { OtherServerError } from './errors.ts';
import type { SessionWord } from './parameters.ts';

/**
 * What speaks against a server for `target_session_attrs`, by what it reports when somebody logs in; undefined when nothing
 * does, or it reports neither (a proxy).
 */
export function objectionTo(wanted: SessionWord, reported: ReadonlyMap<string, string>): Error | undefined {
  const standby = reported.get('in_hot_standby');
  const readOnly = reported.get('default_transaction_read_only');
  const isStandby = standby === 'on';
  const isReadOnly = isStandby || readOnly === 'on';
  if (standby === undefined && readOnly === undefined) return undefined;
  const found = isStandby ? 'a standby' : isReadOnly ? 'read-only' : 'a primary';
  const fits: Readonly<Record<SessionWord, boolean>> = {
    any: true,
    // There is one host: the second choice is all there is.
    'prefer-standby': true,
    'read-write': !isReadOnly,
    'read-only': isReadOnly,
    primary: !isStandby,
    standby: isStandby,
  };
  return fits[wanted] ? undefined : new OtherServerError(wanted, found);
}
