import type { client as NodeVaultClient } from 'node-vault';
import { explainAnswer, explainBroken, explainLate, type Question } from './classify.ts';
import { VaultUninitialisedError } from './errors.ts';
import { isJsonObject, type JsonObject, ownValue } from './json.ts';
import { encodePath } from './path.ts';
import type { Outcome } from './persist.ts';
import { Transport, type TransportRequest } from './transport.ts';

/** One request: a verb and a path. */
export interface VaultRequest {
  readonly verb: 'read' | 'list' | 'write' | 'patch' | 'delete';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** An answer of 404 is an answer without data, not a refusal. */
  readonly mayBeAbsent?: boolean;
}

/** Milliseconds for this request, and what ends it early. */
interface Limits {
  readonly timeout: number;
  /** The deadline made the timeout shorter than usual. */
  readonly cutShort: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Sends single requests through node-vault and explains what comes back. */
export class Exchange {
  readonly address: string;
  readonly #client: NodeVaultClient;
  readonly #transport: Transport;

  private constructor(address: string, client: NodeVaultClient, transport: Transport) {
    this.address = address;
    this.#client = client;
    this.#transport = transport;
  }

  /** Loads node-vault, which costs some milliseconds, and points it at a checked address. */
  static async open(address: string): Promise<Exchange> {
    const { default: nodeVault } = await import('node-vault');
    const transport = new Transport();
    const client = nodeVault({
      endpoint: address,
      // Not every proxy lets the method LIST through; `GET ?list=1` is the same to Vault.
      noCustomHTTPVerbs: true,
      // With DEBUG=node-vault set it would print every body, secrets included.
      debug: () => undefined,
      'request-promise': { defaults: () => (request: TransportRequest) => transport.send(request) },
    });
    // node-vault falls back to VAULT_TOKEN, VAULT_PREFIX and VAULT_NAMESPACE; here only what is passed counts.
    Object.assign(client, { token: '', pathPrefix: '', namespace: '' });
    return new Exchange(address, client, transport);
  }

  /** Sends `token` with every request from here on. */
  use(token: string): void {
    this.#client.token = token;
  }

  /** Ends all connections. */
  close(): void {
    this.#transport.close();
  }

  /** Sends `request` once; the value is the body of a successful answer, undefined when it has none. */
  async ask(question: Question, request: VaultRequest, limits: Limits): Promise<Outcome<unknown>> {
    if (limits.timeout <= 0) return { refusal: explainLate(this.address) };
    try {
      return { value: await this.#call(request, limits) };
    } catch (error) {
      const answer = answerOf(error);
      if (answer === undefined) return { refusal: explainBroken(question, error, limits.cutShort) };
      if (answer.statusCode === 404 && request.mayBeAbsent) return { value: undefined };
      if (answer.statusCode === 503 && !(await this.#isInitialised(limits))) {
        const { address } = this;
        return {
          refusal: {
            patience: 'until-deadline',
            explain: (evidence) =>
              new VaultUninitialisedError(address, { evidence, hint: 'vault operator init' }),
          },
        };
      }
      return { refusal: explainAnswer(question, answer.statusCode, answer.body) };
    }
  }

  #call({ verb, path, query, body }: VaultRequest, { timeout, signal }: Limits): Promise<unknown> {
    const options = { timeout, ...(signal === undefined ? {} : { signal }) };
    const target = encodePath(path) + (query === undefined ? '' : `?${new URLSearchParams(query)}`);
    switch (verb) {
      case 'read':
        return this.#client.read(target, options);
      case 'list':
        return this.#client.list(target, options);
      case 'write':
        return this.#client.write(target, body ?? {}, options);
      case 'patch':
        return this.#client.update(target, body ?? {}, options);
      case 'delete':
        return this.#client.delete(target, options);
    }
  }

  /** True unless Vault says that it is not: one that nobody initialised calls itself sealed as well. */
  async #isInitialised(limits: Limits): Promise<boolean> {
    try {
      const status: unknown = await this.#call({ verb: 'read', path: 'sys/seal-status' }, limits);
      return !isJsonObject(status) || ownValue(status, 'initialized') !== false;
    } catch {
      return true;
    }
  }
}

/** node-vault rejects with an error that carries the answer, whenever the status is neither 200 nor 204. */
function answerOf(error: unknown): { statusCode: number; body: unknown } | undefined {
  if (!(error instanceof Error) || !('response' in error)) return undefined;
  const response = error.response;
  if (typeof response !== 'object' || response === null || !('statusCode' in response)) return undefined;
  return { statusCode: Number(response.statusCode), body: 'body' in response ? response.body : undefined };
}
