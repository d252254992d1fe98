import { Failure, type FailureDetail } from '@lockstep/foundation';

type Detail = Omit<FailureDetail, 'code' | 'exitStatus'>;

/** What every failure to get something out of Vault has in common: exit status 3, a dependency not there in time. */
export abstract class VaultFailure extends Failure {
  constructor(fact: string, code: string, detail: Detail, exitStatus = 3) {
    super(fact, { ...detail, code, exitStatus });
  }
}

/** No answer at all: refused, no such host, no route, reset, timed out, or a certificate nobody trusts. */
export class VaultUnreachableError extends VaultFailure {
  constructor(address: string, reason: string, detail: Detail = {}) {
    super(`vault at ${address} is unreachable: ${reason}`, 'vault-unreachable', detail);
  }
}

/** Something answers at the address, but not as a Vault does. */
export class NotVaultError extends VaultFailure {
  constructor(address: string, detail: Detail = {}) {
    super(`what answers at ${address} is not a vault`, 'vault-not-vault', detail);
  }
}

/** Vault runs but was never initialised. */
export class VaultUninitialisedError extends VaultFailure {
  constructor(address: string, detail: Detail = {}) {
    super(`vault at ${address} is not initialised`, 'vault-uninitialised', detail);
  }
}

/** Vault runs but is sealed: it cannot read its own storage until somebody unseals it. */
export class VaultSealedError extends VaultFailure {
  constructor(address: string, detail: Detail = {}) {
    super(`vault at ${address} is sealed`, 'vault-sealed', detail);
  }
}

/** The address belongs to a node that answers no requests itself. */
export class VaultStandbyError extends VaultFailure {
  constructor(address: string, detail: Detail = {}) {
    super(`vault at ${address} is a standby and does not answer itself`, 'vault-standby', detail);
  }
}

/** Vault answers with a server error, or asks to be left alone for a while (429). */
export class VaultFailingError extends VaultFailure {
  constructor(address: string, status: number, request: string, detail: Detail = {}) {
    super(`vault at ${address} answered ${status} to ${request}`, 'vault-failing', detail);
  }
}

/** The AppRole login was refused: unknown role id, or a secret id that is wrong, used up, expired or destroyed. */
export class VaultLoginRefusedError extends VaultFailure {
  constructor(address: string, detail: Detail = {}) {
    super(`vault at ${address} refused the login`, 'vault-login-refused', detail);
  }
}

/** The token is not allowed to do this, or is no longer known. */
export class VaultForbiddenError extends VaultFailure {
  constructor(address: string, request: string, who: string, detail: Detail = {}) {
    super(`vault at ${address} forbids ${request} to ${who}`, 'vault-forbidden', detail);
  }
}

/** There is nothing at the path, or its latest version was deleted or destroyed. */
export class SecretPathMissingError extends VaultFailure {
  constructor(address: string, path: string, state: 'absent' | 'deleted' | 'destroyed', detail: Detail = {}) {
    const fact = {
      absent: `vault at ${address} has nothing at ${path}`,
      deleted: `the latest version of ${path} in vault at ${address} is deleted`,
      destroyed: `the latest version of ${path} in vault at ${address} is destroyed`,
    }[state];
    super(fact, 'vault-path-missing', detail);
  }
}

/** The entry is there but lacks the key; lists the keys it has, never their values. */
export class SecretKeyMissingError extends VaultFailure {
  constructor(address: string, path: string, key: string, detail: Detail = {}) {
    super(`${path} in vault at ${address} has no key ${JSON.stringify(key)}`, 'vault-key-missing', detail);
  }
}

/** The key is there but does not hold usable text. */
export class SecretValueError extends VaultFailure {
  constructor(address: string, path: string, key: string, problem: string) {
    super(
      `${path} in vault at ${address} holds no text under ${JSON.stringify(key)}: ${problem}`,
      'vault-value',
      {},
    );
  }
}

/** A check-and-set write found another version than the one it expected. */
export class EntryChangedError extends VaultFailure {
  constructor(address: string, path: string, detail: Detail = {}) {
    super(`${path} in vault at ${address} was changed by somebody else`, 'vault-entry-changed', detail);
  }
}

/** Vault understood the request and refused it, for a reason of its own. */
export class VaultRequestError extends VaultFailure {
  constructor(address: string, status: number, request: string, detail: Detail = {}) {
    super(`vault at ${address} refused ${request} with status ${status}`, 'vault-request-refused', detail);
  }
}

/** The mount at this path is of another kind than the one needed. */
export class VaultMountError extends VaultFailure {
  constructor(address: string, mount: string, found: string, needed: string) {
    super(`vault at ${address} has ${found} at ${mount}, where ${needed} is needed`, 'vault-mount', {});
  }
}

/** A file that should hold a role id, secret id or token does not; a setting names the file, hence the words. */
export class CredentialsFileError extends VaultFailure {
  readonly file: string;
  readonly problem: string;
  /** Missing or empty: somebody may be writing it at this moment. */
  readonly isUnwritten: boolean;

  constructor(
    file: string,
    problem: string,
    { isUnwritten = false, ...detail }: Detail & { isUnwritten?: boolean } = {},
  ) {
    super(`credentials file ${JSON.stringify(file)} ${problem}`, 'vault-credentials-file', detail);
    this.file = file;
    this.problem = problem;
    this.isUnwritten = isUnwritten;
  }
}

/** An address, path, key or token that cannot be meant: a mistake in a setting, so exit status 2. */
export class VaultSettingError extends VaultFailure {
  /** @param value shown in the message; undefined for a secret */
  constructor(setting: string, value: string | undefined, rule: string, detail: Detail = {}) {
    const shown = value === undefined ? '' : ` ${JSON.stringify(shorten(value))}`;
    super(`vault ${setting}${shown} ${rule}`, 'vault-setting', detail, 2);
  }
}

function shorten(value: string): string {
  return value.length > 120 ? `${value.slice(0, 120)}…` : value;
}
