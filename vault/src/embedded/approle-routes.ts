import type { AppRoleStore, Role } from './approle.ts';
import { Fields } from './fields.ts';
import { ApiRefusal, listed } from './refusal.ts';
import { nameOf, roleOf } from './role-name.ts';
import type { Answer, Call, Route } from './routes.ts';
import { secretIdRoutes } from './secret-id-routes.ts';
import { authBlock } from './token-routes.ts';
import { longestTtl, type TokenStore } from './tokens.ts';

const notSupported = [
  'secret_id_bound_cidrs',
  'token_bound_cidrs',
  'bound_cidr_list',
  'token_period',
  'period',
  'token_explicit_max_ttl',
  'token_type',
  'local_secret_ids',
  'token_strictly_bind_ip',
] as const;

/** The HTTP face of one AppRole auth method. `path` is where it is enabled, such as `auth/approle`. */
export function appRoleRoutes(store: AppRoleStore, tokens: TokenStore, path: string): Route[] {
  return [
    { pattern: 'login', open: true, answers: { update: (call) => login(store, tokens, path, call) } },
    { pattern: 'role', answers: { list: () => ({ data: { keys: store.names() } }) } },
    {
      pattern: 'role/:role',
      exists: (call) => store.role(nameOf(call)) !== undefined,
      answers: {
        read: (call) => readRole(store.role(nameOf(call))),
        update: (call) => writeRole(store, call),
        delete: (call) => {
          store.remove(nameOf(call));
          return undefined;
        },
      },
    },
    {
      pattern: 'role/:role/role-id',
      answers: {
        read: (call) => {
          const role = store.role(nameOf(call));
          return role === undefined ? undefined : { data: { role_id: role.roleId } };
        },
        update: (call) => {
          store.setRoleId(roleOf(store, call), new Fields(call.body).required('role_id'));
          return undefined;
        },
      },
    },
    ...secretIdRoutes(store),
  ];
}

function login(store: AppRoleStore, tokens: TokenStore, path: string, call: Call): Answer {
  const fields = new Fields(call.body);
  const { role, metadata } = store.login(
    (fields.text('role_id') ?? '').trim(),
    (fields.text('secret_id') ?? '').trim(),
  );
  const { tokenPolicies, tokenNoDefaultPolicy, tokenTtl, tokenMaxTtl, tokenUses } = role.settings;
  const maxTtl = tokenMaxTtl > 0 ? Math.min(tokenMaxTtl, longestTtl) : longestTtl;
  const created = tokens.create({
    policies: tokenNoDefaultPolicy ? tokenPolicies : [...tokenPolicies, 'default'],
    path: `${path}/login`,
    displayName: path.replace(/^auth\//, ''),
    ttl: Math.min(tokenTtl > 0 ? tokenTtl : longestTtl, maxTtl),
    maxTtl,
    meta: metadata,
    uses: tokenUses,
  });
  return { auth: authBlock(tokens, created.token, created.text) };
}

function readRole(role: Role | undefined): Answer | undefined {
  if (role === undefined) return undefined;
  const { settings } = role;
  return {
    data: {
      bind_secret_id: true,
      local_secret_ids: false,
      secret_id_bound_cidrs: null,
      secret_id_num_uses: settings.secretIdUses,
      secret_id_ttl: settings.secretIdTtl,
      token_bound_cidrs: [],
      token_explicit_max_ttl: 0,
      token_max_ttl: settings.tokenMaxTtl,
      token_no_default_policy: settings.tokenNoDefaultPolicy,
      token_num_uses: settings.tokenUses,
      token_period: 0,
      token_policies: settings.tokenPolicies,
      token_ttl: settings.tokenTtl,
      token_type: 'default',
    },
  };
}

function writeRole(store: AppRoleStore, call: Call): Answer | undefined {
  const name = nameOf(call);
  const fields = new Fields(call.body);
  fields.unsupported(...notSupported);
  // What else could bind a role is a rule about addresses, which this server does not have.
  if (fields.flag('bind_secret_id') === false) {
    throw new ApiRefusal(500, listed('at least one constraint should be enabled on the role'));
  }
  const given = givenSettings(fields);
  const settings = { ...store.role(name)?.settings, ...given };
  if ((settings.tokenMaxTtl ?? 0) > 0 && (settings.tokenTtl ?? 0) > (settings.tokenMaxTtl ?? 0)) {
    throw new ApiRefusal(400, '"token_ttl" cannot be greater than "token_max_ttl"');
  }
  const roleId = fields.text('role_id');
  const before = store.role(name);
  const role = before ?? store.create(name);
  try {
    if (roleId !== undefined && roleId !== '') store.setRoleId(role, roleId);
  } catch (error) {
    if (before === undefined) store.remove(name);
    throw error;
  }
  Object.assign(role.settings, given);
  const warnings = fields.warnings();
  return warnings.length === 0 ? undefined : { warnings };
}

function givenSettings(fields: Fields): Partial<Role['settings']> {
  const policies = fields.texts('token_policies') ?? fields.texts('policies');
  // Read in any case, so that the old name is not reported as unknown beside the new one.
  fields.raw('policies');
  const given = {
    secretIdUses: fields.amount('secret_id_num_uses'),
    secretIdTtl: fields.seconds('secret_id_ttl'),
    tokenTtl: fields.seconds('token_ttl'),
    tokenMaxTtl: fields.seconds('token_max_ttl'),
    tokenUses: fields.amount('token_num_uses'),
    tokenPolicies: policies?.map((policy) => policy.toLowerCase()),
    tokenNoDefaultPolicy: fields.flag('token_no_default_policy'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
