import type { JsonObject } from '../json.ts';
import { Fields } from './fields.ts';
import { authRoutes, mountRoutes } from './mount-routes.ts';
import type { MountTable } from './mounts.ts';
import type { PolicyStore } from './policies.ts';
import { capabilities as allCapabilities, PolicyError } from './policy.ts';
import { ApiRefusal } from './refusal.ts';
import { type Answer, type Call, param, type Route } from './routes.ts';
import type { Seal } from './seal.ts';
import type { Token, TokenStore } from './tokens.ts';

/** What the routes of `sys/` act upon. */
export interface SysParts {
  readonly seal: Seal;
  readonly mounts: MountTable;
  readonly policies: PolicyStore;
  readonly tokens: TokenStore;
}

/** `sys/`: mounts, auth methods, policies, capabilities, seal. State and unsealing need no token; see server-state. */
export function sysRoutes(parts: SysParts): Route[] {
  return [
    ...mountRoutes(parts.mounts),
    ...authRoutes(parts.mounts),
    ...policyRoutes(parts.policies),
    ...capabilityRoutes(parts),
    {
      pattern: 'seal',
      sudo: ['update'],
      answers: {
        update: () => {
          parts.seal.seal();
          return undefined;
        },
      },
    },
  ];
}

/** `sys/policies/acl/NAME` and the older `sys/policy/NAME`, which differ in the field that holds the text. */
function policyRoutes(policies: PolicyStore): Route[] {
  const keys = (): Answer => ({ data: { keys: policies.names() } });
  const named = (pattern: string, field: 'policy' | 'rules'): Route => ({
    pattern,
    answers: {
      read: (call) => {
        const name = policyName(call);
        const text = policies.text(name);
        return text === undefined ? undefined : { data: { name, [field]: text }, flat: field === 'rules' };
      },
      update: (call) => {
        writePolicy(policies, policyName(call), call.body, field);
        return undefined;
      },
      delete: (call) => {
        policies.delete(policyName(call));
        return undefined;
      },
    },
  });
  const old = (): Answer => ({ data: { keys: policies.names(), policies: policies.names() }, flat: true });
  return [
    { pattern: 'policies/acl', answers: { list: keys } },
    named('policies/acl/:name', 'policy'),
    { pattern: 'policy', answers: { list: old, read: old } },
    named('policy/:name', 'rules'),
  ];
}

function policyName(call: Call): string {
  return param(call, 'name').trim().toLowerCase();
}

function writePolicy(policies: PolicyStore, name: string, body: JsonObject, field: 'policy' | 'rules'): void {
  const fields = new Fields(body);
  const text = fields.text('policy') ?? (field === 'rules' ? fields.text('rules') : undefined);
  if (text === undefined || text === '')
    throw new ApiRefusal(400, "'policy' parameter not supplied or empty");
  try {
    policies.write(name, decodeBase64(text) ?? text);
  } catch (error) {
    if (error instanceof PolicyError) throw new ApiRefusal(400, `failed to parse policy: ${error.message}`);
    throw error;
  }
}

/** Policies may be sent in base64. No policy is valid base64 itself: it holds quotes or blanks. */
function decodeBase64(text: string): string | undefined {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

function capabilityRoutes({ tokens, policies }: SysParts): Route[] {
  const answer = (call: Call, token: Token): Answer => {
    const fields = new Fields(call.body);
    const paths = fields.texts('paths') ?? fields.texts('path') ?? [];
    if (paths.length === 0) throw new ApiRefusal(400, 'paths must be supplied');
    const acl = policies.acl(token.policies);
    const found = paths.map((path): [string, string[]] => {
      const granted = token.policies.includes('root')
        ? ['root']
        : sorted(acl.granted(path.replace(/^\//, ''), true));
      return [path, granted];
    });
    const single = found.length === 1 ? { capabilities: found[0]?.[1] ?? [] } : {};
    return { data: { ...Object.fromEntries(found), ...single }, flat: true };
  };
  const self = (call: Call): Answer => {
    if (call.token === undefined) throw new ApiRefusal(403, 'permission denied');
    return answer(call, call.token);
  };
  const given = (call: Call): Answer => {
    const token = tokens.find(new Fields(call.body).required('token'));
    if (token === undefined) throw new ApiRefusal(400, 'invalid token');
    return answer(call, token);
  };
  return [
    { pattern: 'capabilities-self', answers: { update: self } },
    { pattern: 'capabilities', answers: { update: given } },
  ];
}

function sorted(granted: ReadonlySet<string>): string[] {
  if (granted.size === 0 || granted.has('deny')) return ['deny'];
  return allCapabilities.filter((capability) => granted.has(capability)).sort();
}
