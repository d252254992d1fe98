import {
  EntryChangedError,
  NotVaultError,
  SecretPathMissingError,
  VaultFailingError,
  type VaultFailure,
  VaultForbiddenError,
  VaultLoginRefusedError,
  VaultRequestError,
  VaultSealedError,
  VaultStandbyError,
  VaultUnreachableError,
} from './errors.ts';
import { isJsonObject, type JsonObject, ownObject, ownTexts, ownValue } from './json.ts';
import { versionedSpelling } from './path.ts';
import { ForeignAnswerError, TimeoutError } from './transport.ts';

/**
 * How long a refusal is worth repeating: `until-deadline` while Vault itself is not there yet, `briefly` (about two
 * seconds) when a bootstrap may be writing at this very moment, `never` when only a person can help.
 */
export type Patience = 'until-deadline' | 'briefly' | 'never';

/** Why one attempt got nothing. Becomes an error only when patience ends, so that it can tell how long was waited. */
export interface Refusal {
  readonly patience: Patience;
  /** The deadline cut this attempt short, so an earlier reason says more. */
  readonly cutShort?: boolean;
  readonly explain: (waited: readonly string[]) => VaultFailure;
}

/** Whether the refusal would become an error of this class. */
export function isRefusedAs(
  refusal: Refusal,
  type: abstract new (...args: never[]) => VaultFailure,
): boolean {
  return refusal.explain([]) instanceof type;
}

/** What was asked, in the words an error needs. */
export interface Question {
  readonly address: string;
  readonly verb: 'reading' | 'listing' | 'writing' | 'changing' | 'deleting' | 'login at';
  readonly path: string;
  /** `role services-api-app`, `the given token`, `nobody (no token)`. */
  readonly who: string;
  readonly policies?: readonly string[];
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'the connection timed out',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

/** Explains an exchange that brought no answer, or one that no Vault gives. */
export function explainBroken(question: Question, error: unknown, cutShort: boolean): Refusal {
  const { address } = question;
  const { code, message } = faultOf(error);
  if (error instanceof ForeignAnswerError || code.startsWith('HPE_')) {
    const seen = error instanceof ForeignAnswerError ? error.message : `what it sends is not HTTP (${code})`;
    const gateway = error instanceof ForeignAnswerError && (error.status ?? 0) >= 500;
    return {
      // A proxy in front of a Vault that is still starting also answers with a page of its own.
      patience: gateway ? 'until-deadline' : 'briefly',
      explain: (waited) =>
        new NotVaultError(address, {
          evidence: [seen, ...waited],
          hint: address.startsWith('http:')
            ? 'check VAULT_ADDR: another program may have the port, or it wants https://'
            : 'check VAULT_ADDR: another program may have the port',
          cause: error,
        }),
    };
  }
  const reason = error instanceof TimeoutError ? error.message : (reasons[code] ?? message);
  const untrusted = /CERT|SIGNATURE|EPROTO|WRONG_VERSION/.test(code);
  return {
    patience: untrusted ? 'never' : 'until-deadline',
    cutShort: cutShort && error instanceof TimeoutError,
    explain: (waited) =>
      new VaultUnreachableError(address, reason, {
        evidence: [...(code === '' ? [] : [`cause: ${message}`]), ...waited],
        hint: untrusted ? 'check VAULT_ADDR and NODE_EXTRA_CA_CERTS' : 'make status',
        cause: error,
      }),
  };
}

/** Explains that the deadline had passed before anything was sent. */
export function explainLate(address: string): Refusal {
  return {
    patience: 'never',
    cutShort: true,
    explain: (waited) =>
      new VaultUnreachableError(address, 'no time was left to ask it', { evidence: waited }),
  };
}

/** Explains an answer that is well-formed, but none that a Vault gives. */
export function explainForeign(address: string, seen: string): Refusal {
  return {
    patience: 'briefly',
    explain: (waited) =>
      new NotVaultError(address, {
        evidence: [seen, ...waited],
        hint: 'check VAULT_ADDR: another program may have the port',
      }),
  };
}

/** Explains an answer with a status other than success. */
export function explainAnswer(question: Question, status: number, body: unknown): Refusal {
  const { address, verb, path } = question;
  const words = wordsOf(body);
  const said = words.map((line) => `vault says: ${line}`);
  const asked = `${verb} ${path}`;
  const refusal = (patience: Patience, make: (evidence: string[]) => VaultFailure): Refusal => ({
    patience,
    explain: (waited) => make([...said, ...waited]),
  });

  if (status === 503 && words.some((line) => /sealed/i.test(line))) {
    return refusal(
      'until-deadline',
      (evidence) => new VaultSealedError(address, { evidence, hint: 'vault operator unseal' }),
    );
  }
  if (status === 307 || status === 472 || status === 473) {
    return refusal('until-deadline', (evidence) => new VaultStandbyError(address, { evidence }));
  }
  if (status === 429 || status >= 500) {
    return refusal(
      'until-deadline',
      (evidence) => new VaultFailingError(address, status, asked, { evidence }),
    );
  }
  if (!isJsonObject(body) || !('errors' in body || 'request_id' in body)) {
    return explainForeign(address, `it answers ${status} without an "errors" list`);
  }
  if (verb === 'login at' && (status === 400 || status === 403 || status === 404)) {
    // Without the method nobody can log in yet: a Vault that lost its memory, whose bootstrap still waits for Postgres.
    const patience = status === 400 ? 'briefly' : 'until-deadline';
    return refusal(patience, (evidence) => loginRefused(question, status, evidence));
  }
  if (status === 403) return refusal('briefly', (evidence) => forbidden(question, evidence));
  if (status === 404) return refusal('briefly', (evidence) => missing(question, body, evidence));
  if (status === 400 && words.some((line) => line.startsWith('Upgrading from non-versioned'))) {
    // What a KV mount answers during the moment after it was made.
    return refusal(
      'until-deadline',
      (evidence) => new VaultFailingError(address, status, asked, { evidence }),
    );
  }
  if (status === 400 && words.some((line) => line.includes('check-and-set parameter did not match'))) {
    return refusal('never', (evidence) => new EntryChangedError(address, path, { evidence }));
  }
  return refusal('never', (evidence) => new VaultRequestError(address, status, asked, { evidence }));
}

function loginRefused({ address, path, who }: Question, status: number, evidence: string[]): VaultFailure {
  const known =
    status === 400 ? [] : [`is an AppRole auth method enabled at ${path.replace(/\/login$/, '')}?`];
  return new VaultLoginRefusedError(address, {
    evidence: [`logging in: ${who}`, ...known, ...evidence],
    hint: 'make up, whose bootstrap renews role ids and secret ids that no longer work',
  });
}

function forbidden({ address, verb, path, who, policies }: Question, evidence: string[]): VaultFailure {
  const meant = versionedSpelling(path);
  return new VaultForbiddenError(address, `${verb} ${path}`, who, {
    evidence: [
      ...(policies === undefined ? [] : [`its policies: ${policies.join(', ') || 'none'}`]),
      ...evidence,
    ],
    ...(meant === undefined ? {} : { hint: `${meant}, the way version 2 of the KV engine spells it` }),
  });
}

function missing({ address, path }: Question, body: unknown, evidence: string[]): VaultFailure {
  const metadata = ownObject(ownObject(isJsonObject(body) ? body : undefined, 'data'), 'metadata');
  const destroyed = ownValue(metadata, 'destroyed') === true;
  const deletedAt = ownValue(metadata, 'deletion_time');
  const meant = versionedSpelling(path);
  const version = ownValue(metadata, 'version');
  if (destroyed) {
    return new SecretPathMissingError(address, path, 'destroyed', {
      evidence: [`version ${version}`, ...evidence],
      hint: 'make up, whose bootstrap writes it again',
    });
  }
  if (typeof deletedAt === 'string' && deletedAt !== '') {
    return new SecretPathMissingError(address, path, 'deleted', {
      evidence: [`version ${version}, deleted at ${deletedAt}`, ...evidence],
      hint: `vault kv undelete -versions=${version} ${path.replace('/data/', '/')}`,
    });
  }
  return new SecretPathMissingError(address, path, 'absent', {
    evidence,
    hint:
      meant === undefined
        ? 'make up, whose bootstrap writes it'
        : `${meant}, the way version 2 of the KV engine spells it`,
  });
}

/** Vault's own errors and warnings, one per line, shortened. */
export function wordsOf(body: unknown): string[] {
  const object: JsonObject | undefined = isJsonObject(body) ? body : undefined;
  return [...ownTexts(object, 'errors'), ...ownTexts(object, 'warnings')]
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replace(/^\s*\*\s*/, '').trim())
    .filter((line) => line !== '' && !/^\d+ errors? occurred:$/.test(line))
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line))
    .slice(0, 5);
}

function faultOf(error: unknown): { code: string; message: string } {
  // Both address families refused: node reports one error that holds one for each.
  const single = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (!(single instanceof Error)) return { code: '', message: String(single) };
  // OpenSSL's errors end in a blank line, and begin with a number of its own.
  const message =
    single.message
      .trim()
      .replace(/\b[\dA-F]{16}:/, '')
      .split('\n')[0] ?? '';
  return { code: 'code' in single ? String(single.code) : '', message };
}
