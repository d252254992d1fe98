import type { JsonObject } from '../json.ts';
import { ApiRefusal, listed } from './refusal.ts';
import type { Token } from './tokens.ts';

/** What a request does, as policies name it. A write is `update` here; whether it creates is found out later. */
export type Operation = 'read' | 'list' | 'update' | 'patch' | 'delete';

/** One request on its way to the route that answers it. */
export interface Call {
  readonly operation: Operation;
  /** Without `/v1/`; decoded and checked. */
  readonly path: string;
  /** What the route's pattern names, such as `role` in `role/:role`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  /** Undefined only on routes that are open. */
  readonly token: Token | undefined;
  /** The token's own text, which the server itself does not keep. */
  readonly tokenText: string;
}

/** What a route answers; a write without data becomes 204. */
export interface Answer {
  readonly status?: number;
  readonly data?: JsonObject | null;
  readonly auth?: JsonObject;
  readonly warnings?: readonly string[];
  /** Repeats `data` beside the envelope's own fields, as old paths of Vault do. */
  readonly flat?: boolean;
  /** The whole body, for paths that have no envelope. */
  readonly plain?: JsonObject;
}

/** One path pattern of a backend, relative to its mount: `:name` is one segment, `*name` the rest. */
export interface Route {
  readonly pattern: string;
  readonly answers: Readonly<Partial<Record<Operation, (call: Call) => Answer | undefined>>>;
  /** Tells an update from a create, for policies that tell them apart. */
  readonly exists?: (call: Call) => boolean;
  /** Operations for which a policy must grant `sudo` as well. */
  readonly sudo?: readonly Operation[];
  /** Answers without a token. */
  readonly open?: boolean;
}

/** A route that fits, with the values its pattern names. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the first route whose pattern fits `path`. A trailing slash counts only for patterns that end in `*name`. */
export function findRoute(routes: readonly Route[], path: string): Match | undefined {
  for (const route of routes) {
    const params = fit(route.pattern.split('/'), path);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

function fit(pattern: readonly string[], path: string): Record<string, string> | undefined {
  const parts = path.split('/');
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    if (expected.startsWith('*')) {
      params[expected.slice(1)] = parts.slice(index).join('/');
      return parts.length >= index ? params : undefined;
    }
    const part = parts[index];
    if (part === undefined) return undefined;
    if (expected.startsWith(':') && part !== '') params[expected.slice(1)] = part;
    else if (part !== expected) return undefined;
  }
  const rest = parts.slice(pattern.length);
  return rest.length === 0 || (rest.length === 1 && rest[0] === '') ? params : undefined;
}

/** Runs the route's answer for the call's operation, or refuses with Vault's 405. */
export function answerWith(route: Route, call: Call): Answer | undefined {
  const answer = route.answers[call.operation];
  if (answer === undefined) throw new ApiRefusal(405, listed('unsupported operation'));
  return answer(call);
}

/** The value of a pattern's name; the pattern guarantees it. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}
