import type { JsonObject } from '../json.ts';
import { Fields } from './fields.ts';
import { ApiRefusal, listed } from './refusal.ts';
import type { Answer, Call, Route } from './routes.ts';
import { longestTtl, type Token, type TokenStore } from './tokens.ts';

/** What the token routes must know of policies. */
export interface TokenPowers {
  /** Whether the caller may do as root does on the path: the root policy, or a policy that grants `sudo`. */
  readonly mayAsRoot: (call: Call) => boolean;
}

/** The HTTP face of `auth/token`. */
export function tokenRoutes(tokens: TokenStore, powers: TokenPowers): Route[] {
  const self = (call: Call): Token => call.token ?? refuseToken();
  const given = (call: Call): Token => tokens.find(new Fields(call.body).required('token')) ?? refuseToken();
  const byAccessor = (call: Call): Token => {
    const token = tokens.findByAccessor(new Fields(call.body).required('accessor'));
    if (token === undefined) throw new ApiRefusal(403, listed('invalid accessor'));
    return token;
  };
  const revoke = (find: (call: Call) => Token) => (call: Call) => {
    tokens.revoke(find(call));
    return undefined;
  };
  const lookUp = (token: Token, text: string): Answer => ({ data: tokenBlock(tokens, token, text) });
  const renewed = (call: Call, token: Token, text: string): Answer => renew(tokens, call, token, text);
  const textOf = (call: Call) => new Fields(call.body).text('token') ?? '';
  return [
    { pattern: 'create', answers: { update: (call) => create(tokens, call, powers, false) } },
    {
      pattern: 'create-orphan',
      sudo: ['update'],
      answers: { update: (call) => create(tokens, call, powers, true) },
    },
    {
      pattern: 'lookup-self',
      answers: {
        read: (call) => lookUp(self(call), call.tokenText),
        update: (call) => lookUp(self(call), call.tokenText),
      },
    },
    { pattern: 'lookup', answers: { update: (call) => lookUp(given(call), textOf(call)) } },
    { pattern: 'lookup-accessor', answers: { update: (call) => lookUp(byAccessor(call), '') } },
    { pattern: 'renew-self', answers: { update: (call) => renewed(call, self(call), call.tokenText) } },
    { pattern: 'renew', answers: { update: (call) => renewed(call, given(call), textOf(call)) } },
    { pattern: 'renew-accessor', answers: { update: (call) => renewed(call, byAccessor(call), '') } },
    { pattern: 'revoke-self', answers: { update: revoke(self) } },
    { pattern: 'revoke', answers: { update: (call) => revokeGiven(tokens, call) } },
    { pattern: 'revoke-accessor', answers: { update: revoke(byAccessor) } },
    {
      pattern: 'revoke-orphan',
      sudo: ['update'],
      answers: {
        update: (call) => {
          tokens.revokeOrphaning(given(call));
          return undefined;
        },
      },
    },
    {
      pattern: 'accessors',
      sudo: ['list'],
      answers: { list: () => ({ data: { keys: tokens.accessors() } }) },
    },
  ];
}

function refuseToken(): never {
  throw new ApiRefusal(403, 'bad token');
}

/** To revoke what is gone already is no failure. */
function revokeGiven(tokens: TokenStore, call: Call): undefined {
  const token = tokens.find(new Fields(call.body).required('token'));
  if (token !== undefined) tokens.revoke(token);
}

function create(tokens: TokenStore, call: Call, powers: TokenPowers, orphan: boolean): Answer {
  const parent = call.token;
  if (parent === undefined) throw new ApiRefusal(403, 'bad token');
  if (parent.usesLeft !== 0) throw new ApiRefusal(400, 'restricted use token cannot generate child tokens');
  const fields = new Fields(call.body);
  fields.unsupported('period', 'type', 'entity_alias');
  const asRoot = powers.mayAsRoot(call);
  const id = fields.text('id');
  const noParent = fields.flag('no_parent') ?? false;
  if (!asRoot && (id !== undefined || noParent)) {
    throw new ApiRefusal(400, 'root or sudo privileges required to choose an id or to leave out the parent');
  }
  const prefix = /^(?:s|hvs)\./.exec(id ?? '')?.[0];
  if (prefix !== undefined) throw new ApiRefusal(400, `custom token ID cannot have the '${prefix}' prefix`);
  if (id !== undefined && (!/^[\x21-\x7e]{1,256}$/.test(id) || tokens.find(id) !== undefined)) {
    throw new ApiRefusal(400, 'cannot create a token with a taken or malformed ID');
  }
  const explicitMaxTtl = fields.seconds('explicit_max_ttl') ?? 0;
  const policies = childPolicies(parent, fields, asRoot);
  const wanted = fields.seconds('ttl') ?? fields.seconds('lease') ?? 0;
  const isRoot = policies.includes('root');
  const limit = Math.min(longestTtl, explicitMaxTtl > 0 ? explicitMaxTtl : longestTtl);
  const ttl = wanted === 0 && isRoot ? 0 : Math.min(wanted > 0 ? wanted : longestTtl, limit);
  const created = tokens.create({
    policies,
    path: 'auth/token/create',
    displayName: `token${displayName(fields.text('display_name'))}`,
    ttl,
    explicitMaxTtl,
    meta: metaOf(fields),
    renewable: fields.flag('renewable') ?? true,
    uses: fields.amount('num_uses') ?? 0,
    parent: orphan || noParent ? undefined : parent,
    ...(id === undefined ? {} : { id }),
  });
  const warnings = fields.warnings();
  if (wanted > ttl) warnings.push(`TTL of ${wanted} s exceeded the maximum, so it was cut to ${ttl} s`);
  return {
    auth: authBlock(tokens, created.token, created.text),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function childPolicies(parent: Token, fields: Fields, asRoot: boolean): string[] {
  const asked = fields.texts('policies')?.map((policy) => policy.toLowerCase());
  const policies = asked === undefined || asked.length === 0 ? [...parent.policies] : asked;
  const withDefault = !(fields.flag('no_default_policy') ?? false) && !policies.includes('root');
  const all = withDefault ? [...policies, 'default'] : policies;
  if (all.includes('root') && !parent.policies.includes('root')) {
    throw new ApiRefusal(400, 'root tokens may not be created without parent token being root');
  }
  const beyond = policies.filter((policy) => policy !== 'default' && !parent.policies.includes(policy));
  if (!asRoot && beyond.length > 0) throw new ApiRefusal(400, 'child policies must be subset of parent');
  return all;
}

function metaOf(fields: Fields): Record<string, string> {
  const meta = Object.entries(fields.object('meta') ?? {});
  return Object.fromEntries(
    meta.map(([key, value]) => {
      if (typeof value !== 'string') throw new ApiRefusal(400, 'meta: expected an object of texts');
      return [key, value];
    }),
  );
}

function displayName(given: string | undefined): string {
  return given === undefined || given === '' ? '' : `-${given.replace(/[^\w-]/g, '-').slice(0, 120)}`;
}

function renew(tokens: TokenStore, call: Call, token: Token, text: string): Answer {
  if (!token.renewable) throw new ApiRefusal(400, 'lease is not renewable');
  tokens.renew(token, new Fields(call.body).seconds('increment') ?? 0);
  return { auth: authBlock(tokens, token, text) };
}

/** The `auth` block of a login, a new token or a renewal. */
export function authBlock(tokens: TokenStore, token: Token, text: string): JsonObject {
  return {
    client_token: text,
    accessor: token.accessor,
    policies: token.policies,
    token_policies: token.policies,
    metadata: token.path.endsWith('/login') || Object.keys(token.meta).length > 0 ? token.meta : null,
    lease_duration: tokens.ttl(token),
    renewable: token.renewable,
    entity_id: '',
    token_type: 'service',
    orphan: token.parent === undefined,
    mfa_requirement: null,
    num_uses: Math.max(0, token.usesLeft),
  };
}

function tokenBlock(tokens: TokenStore, token: Token, text: string): JsonObject {
  return {
    id: text,
    accessor: token.accessor,
    creation_time: Math.floor(token.createdAt / 1000),
    creation_ttl: token.creationTtl,
    display_name: token.displayName,
    entity_id: '',
    expire_time: token.expiresAt === undefined ? null : new Date(token.expiresAt).toISOString(),
    explicit_max_ttl: token.explicitMaxTtl,
    issue_time: new Date(token.createdAt).toISOString(),
    meta: Object.keys(token.meta).length > 0 ? token.meta : null,
    num_uses: token.usesLeft,
    orphan: token.parent === undefined,
    path: token.path,
    policies: token.policies,
    renewable: token.renewable,
    ttl: tokens.ttl(token),
    type: 'service',
  };
}
