import { type Deadline, markSecret } from '@lockstep/foundation';
import { explainForeign, isRefusedAs, type Question } from './classify.ts';
import { VaultLoginRefusedError, VaultSettingError } from './errors.ts';
import { Exchange, type VaultRequest } from './exchange.ts';
import { isJsonObject, type JsonObject, ownObject, ownText, ownTexts, ownValue } from './json.ts';
import { checkAddress, checkPath } from './path.ts';
import { type Outcome, type Persistence, persist } from './persist.ts';

/** Milliseconds one request may take, connecting included. */
const longestRequest = 5_000;

/** Where Vault is, and how long to try. */
export interface VaultOptions extends Persistence {
  /** `http://host:port`; without credentials and query. */
  readonly address: string;
  /** Sent with every request until a login replaces it. */
  readonly token?: string | undefined;
}

/** A role's credentials. */
export interface AppRoleCredentials {
  readonly roleId: string;
  readonly secretId: string;
  /** Where the auth method is enabled; `approle` by default. */
  readonly mount?: string;
}

/** What a login brought. */
export interface VaultLogin {
  readonly token: string;
  /** The AppRole's name, when Vault told. */
  readonly role: string | undefined;
  readonly policies: readonly string[];
  /** How long the token lives. It is not revoked at the end: that would cost a round trip at every start. */
  readonly ttlSeconds: number;
}

/** The state of the server. */
export interface VaultHealth {
  readonly initialised: boolean;
  readonly sealed: boolean;
  readonly standby: boolean;
  readonly version: string;
}

/** What Vault answered. */
export interface VaultAnswer {
  readonly data: JsonObject | undefined;
  readonly auth: JsonObject | undefined;
}

/**
 * Opens a session with the Vault at `address`. Nothing is sent yet; node-vault is loaded here, not before.
 *
 * @throws {VaultSettingError} when the address is none, or the token cannot be one
 */
export async function openVault(options: VaultOptions): Promise<VaultSession> {
  if (options.token !== undefined && !/^[\x21-\x7e]{0,4096}$/.test(options.token)) {
    throw new VaultSettingError('token', undefined, 'must be printable characters without blanks');
  }
  return new VaultSession(await Exchange.open(checkAddress(options.address)), options);
}

/**
 * A typed face over node-vault: requests that wait for a Vault which is not there yet, and failures that say what is
 * wrong and what to do (see errors.ts). Methods named `attempt…` send once and return the refusal instead.
 */
export class VaultSession {
  readonly #exchange: Exchange;
  readonly #persistence: Persistence;
  #who = 'a request without a token';
  #policies: readonly string[] | undefined;

  /** Use {@link openVault}. */
  constructor(exchange: Exchange, options: VaultOptions) {
    this.#exchange = exchange;
    this.#persistence = options;
    if (options.token !== undefined && options.token !== '') {
      markSecret(options.token);
      exchange.use(options.token);
      this.#who = 'the given token';
    }
  }

  get address(): string {
    return this.#exchange.address;
  }

  get deadline(): Deadline {
    return this.#persistence.deadline;
  }

  /** The `data` of the answer; undefined when there is nothing at the path. */
  async read(path: string, query?: Readonly<Record<string, string>>): Promise<JsonObject | undefined> {
    const request = {
      verb: 'read',
      path,
      mayBeAbsent: true,
      ...(query === undefined ? {} : { query }),
    } as const;
    return (await this.request(request)).data;
  }

  /** The keys under the path; empty when there are none. */
  async list(path: string): Promise<string[]> {
    return ownTexts((await this.request({ verb: 'list', path, mayBeAbsent: true })).data, 'keys');
  }

  /** Writes, and returns the `data` of the answer if it has any. */
  async write(path: string, body: JsonObject): Promise<JsonObject | undefined> {
    return (await this.request({ verb: 'write', path, body })).data;
  }

  /** Deletes what is at the path; that nothing is there is no failure. */
  async remove(path: string): Promise<void> {
    await this.request({ verb: 'delete', path, mayBeAbsent: true });
  }

  /** Logs in by AppRole and uses the token from here on. A refused login is repeated for about two seconds. */
  async login(credentials: AppRoleCredentials): Promise<VaultLogin> {
    return this.persist(() => this.attemptLogin(credentials));
  }

  /**
   * Tries these credentials once, without touching this session's own token: undefined when Vault refuses them.
   * One use of a secret id with limited uses is spent.
   */
  async tryLogin(credentials: AppRoleCredentials): Promise<VaultLogin | undefined> {
    return this.persist<VaultLogin | undefined>(async () => {
      const outcome = await this.#askForLogin(credentials);
      if ('value' in outcome) return outcome;
      return isRefusedAs(outcome.refusal, VaultLoginRefusedError) ? { value: undefined } : outcome;
    });
  }

  /** Asks for the state of the server. Any Vault that answers has one, sealed or not. */
  async health(): Promise<VaultHealth> {
    return this.persist(() => this.attemptHealth());
  }

  /** Sends `request`, repeats it while that is worth it, and returns the answer. */
  async request(request: VaultRequest): Promise<VaultAnswer> {
    return this.persist(() => this.attempt(request));
  }

  /** Repeats `attempt` with the deadline, signal and listener of this session. */
  async persist<T>(attempt: () => Promise<Outcome<T>>): Promise<T> {
    return persist(this.#persistence, attempt);
  }

  /** Sends a request once. */
  async attempt(request: VaultRequest): Promise<Outcome<VaultAnswer>> {
    const path = checkPath(request.path);
    const question = { ...this.#question(path), verb: verbs[request.verb] };
    return this.#askForAnswer(question, { ...request, path });
  }

  /** Logs in once and, when that works, uses the token from here on. */
  async attemptLogin(credentials: AppRoleCredentials): Promise<Outcome<VaultLogin>> {
    const outcome = await this.#askForLogin(credentials);
    if ('value' in outcome) {
      const { token, role, policies } = outcome.value;
      this.#exchange.use(token);
      this.#who = role === undefined ? 'the token of the login' : `role ${role}`;
      this.#policies = policies;
    }
    return outcome;
  }

  /** Whether Vault knows the session's token; false also when no policy lets it look. */
  async attemptTokenCheck(): Promise<boolean> {
    return 'value' in (await this.attempt({ verb: 'read', path: 'auth/token/lookup-self' }));
  }

  /** Asks for the state of the server once. */
  async attemptHealth(): Promise<Outcome<VaultHealth>> {
    const path = 'sys/health';
    const outcome = await this.#exchange.ask(this.#question(path), { verb: 'read', path }, this.#limits());
    if (!('value' in outcome)) return outcome;
    const body = isJsonObject(outcome.value) ? outcome.value : undefined;
    const initialised = ownValue(body, 'initialized');
    const sealed = ownValue(body, 'sealed');
    if (typeof initialised !== 'boolean' || typeof sealed !== 'boolean') {
      return { refusal: explainForeign(this.address, 'its sys/health says nothing about being sealed') };
    }
    const standby = ownValue(body, 'standby') === true;
    return { value: { initialised, sealed, standby, version: ownText(body, 'version') ?? 'unknown' } };
  }

  /** Ends the session's connections. The token stays valid until its time is over. */
  close(): void {
    this.#exchange.close();
  }

  async #askForLogin(credentials: AppRoleCredentials): Promise<Outcome<VaultLogin>> {
    const { roleId, secretId, mount = 'approle' } = credentials;
    markSecret(secretId);
    const path = checkPath(`auth/${mount}/login`);
    const question: Question = {
      address: this.address,
      verb: 'login at',
      path,
      who: `role id ${shorten(roleId)}`,
    };
    const body = { role_id: roleId, secret_id: secretId };
    const outcome = await this.#askForAnswer(question, { verb: 'write', path, body });
    if (!('value' in outcome)) return outcome;
    const { auth } = outcome.value;
    const token = ownText(auth, 'client_token');
    if (token === undefined) return { refusal: explainForeign(this.address, 'its login gave no token') };
    markSecret(token);
    const ttl = ownValue(auth, 'lease_duration');
    return {
      value: {
        token,
        role: ownText(ownObject(auth, 'metadata'), 'role_name'),
        policies: ownTexts(auth, 'policies'),
        ttlSeconds: typeof ttl === 'number' ? ttl : 0,
      },
    };
  }

  async #askForAnswer(question: Question, request: VaultRequest): Promise<Outcome<VaultAnswer>> {
    const outcome = await this.#exchange.ask(question, request, this.#limits());
    if (!('value' in outcome)) return outcome;
    const body = outcome.value;
    if (body === undefined) return { value: { data: undefined, auth: undefined } };
    if (!isJsonObject(body)) return { refusal: explainForeign(this.address, 'its answer is no JSON object') };
    return { value: { data: ownObject(body, 'data'), auth: ownObject(body, 'auth') } };
  }

  #question(path: string): Question {
    const policies = this.#policies === undefined ? {} : { policies: this.#policies };
    return { address: this.address, verb: 'reading', path, who: this.#who, ...policies };
  }

  #limits() {
    const { deadline, signal } = this.#persistence;
    const timeout = Math.min(longestRequest, deadline.remaining());
    return { timeout, cutShort: timeout < longestRequest, signal };
  }
}

const verbs = {
  read: 'reading',
  list: 'listing',
  write: 'writing',
  patch: 'changing',
  delete: 'deleting',
} as const;

// Enough to recognise a role id by; the rest is nobody's business.
function shorten(roleId: string): string {
  return roleId.length > 12 ? `${roleId.slice(0, 8)}…` : roleId;
}
