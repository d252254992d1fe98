import type {
  FastifyError,
  FastifyRequest,
  FastifySchemaValidationError,
  FastifyServerOptions,
} from 'fastify';
import { Problem, type ProblemError } from './problem.ts';

/** However many rules a body breaks, the answer stays small. */
const mostErrors = 20;

const parts = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const;

/**
 * How requests are checked: unknown properties are refused, not removed; every mistake is reported; nothing is
 * coerced, so that a JSON string is never taken for a number.
 */
export const ajvOptions: NonNullable<FastifyServerOptions['ajv']> = {
  customOptions: {
    removeAdditional: false,
    coerceTypes: false,
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    formats: {
      // Control characters other than tab and line breaks; and code units that are no character at all.
      text: (value: string) => !/[^\P{Cc}\t\n\r]|\p{Cs}/u.test(value),
      line: (value: string) => !/\p{Cc}|\p{Cs}/u.test(value),
    },
  },
};

const formatRules: Record<string, string> = {
  text: 'must be text without control characters or halves of surrogate pairs',
  line: 'must be one line of text without control characters or halves of surrogate pairs',
};

/** Makes numbers of the query's digits where the schema wants an integer: a query is all text. */
export function readQueryNumbers(request: FastifyRequest): void {
  const schema = request.routeOptions.schema?.querystring as
    | { properties?: Record<string, { type?: unknown }> }
    | undefined;
  const query = request.query as Record<string, unknown>;
  for (const [name, { type }] of Object.entries(schema?.properties ?? {})) {
    const value = query[name];
    if (type === 'integer' && typeof value === 'string' && /^-?\d{1,9}$/.test(value))
      query[name] = Number(value);
  }
}

/** Turns a failed validation into a 400 that lists every broken rule by JSON pointer. */
export function validationProblem(error: FastifyError): Problem {
  const part = parts[error.validationContext as keyof typeof parts] ?? 'body';
  // `if` only says that one of its branches failed, which reports for itself.
  const broken = (error.validation ?? []).filter(({ keyword }) => keyword !== 'if');
  const all = broken.map((each) => describe(part, each));
  const errors = distinct(all).slice(0, mostErrors);
  return invalidRequest(errors);
}

/** A 400 for a request whose parts break rules. */
export function invalidRequest(errors: readonly ProblemError[]): Problem {
  return new Problem({
    status: 400,
    code: 'invalid-request',
    title: 'The request breaks a rule',
    detail: `${errors.length === 1 ? 'one rule is' : `${errors.length} rules are`} broken; errors has each`,
    errors,
  });
}

function describe(part: ProblemError['in'], broken: FastifySchemaValidationError): ProblemError {
  const { keyword, params, instancePath, message = 'is not valid' } = broken;
  const below = (name: unknown) =>
    `${instancePath}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  if (keyword === 'required') {
    return { in: part, pointer: below(params['missingProperty']), detail: 'is required' };
  }
  if (keyword === 'additionalProperties') {
    return {
      in: part,
      pointer: below(params['additionalProperty']).slice(0, 200),
      detail: 'is not a known property',
    };
  }
  return { in: part, pointer: instancePath, detail: ruleOf(broken) ?? message };
}

/** The schema's own words for a pattern, rather than the pattern. */
function ruleOf({ keyword, params, ...broken }: FastifySchemaValidationError): string | undefined {
  if (keyword === 'false schema') return 'is not allowed with the other values';
  if (keyword === 'format') return formatRules[String(params['format'])];
  if (keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  if (keyword !== 'pattern') return undefined;
  const { parentSchema } = broken as { parentSchema?: { description?: string } };
  return parentSchema?.description;
}

function distinct(errors: readonly ProblemError[]): ProblemError[] {
  const seen = new Map(errors.map((error) => [`${error.pointer} ${error.detail}`, error]));
  return [...seen.values()];
}
