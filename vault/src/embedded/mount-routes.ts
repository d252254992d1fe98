import { ownValue } from '../json.ts';
import { Fields } from './fields.ts';
import { describeMount, type MountTable } from './mounts.ts';
import { ApiRefusal, notHere } from './refusal.ts';
import { type Answer, type Call, param, type Route } from './routes.ts';
import { longestTtl } from './tokens.ts';

/** `sys/mounts` and what the `vault kv` commands ask first. */
export function mountRoutes(mounts: MountTable): Route[] {
  return [
    { pattern: 'mounts', answers: { read: () => ({ data: mounts.describe(false), flat: true }) } },
    {
      pattern: 'mounts/*path',
      answers: {
        read: (call) => {
          const tuned = tunedMount(mounts, call, '');
          if (tuned !== undefined) return tuned;
          const mount = mounts.get(prefixOf(call, ''));
          if (mount === undefined)
            throw new ApiRefusal(400, `No secret engine mount at ${prefixOf(call, '')}`);
          return { data: describeMount(mount), flat: true };
        },
        update: (call) => {
          refuseTuning(call);
          const fields = new Fields(call.body);
          const type = fields.required('type');
          const version = ownValue(fields.object('options'), 'version');
          fields.unsupported(
            'local',
            'seal_wrap',
            'external_entropy_access',
            'plugin_name',
            'plugin_version',
          );
          if (type !== 'kv-v2' && !(type === 'kv' && String(version) === '2')) {
            throw new ApiRefusal(
              400,
              `the embedded development Vault mounts only version 2 of the KV engine: {"type":"kv","options":{"version":"2"}}`,
            );
          }
          mounts.addKv(nameOf(call), fields.text('description') ?? '');
          return undefined;
        },
        delete: (call) => {
          mounts.remove(prefixOf(call, ''));
          return undefined;
        },
      },
    },
    {
      pattern: 'internal/ui/mounts',
      answers: { read: () => ({ data: { auth: mounts.describe(true), secret: mounts.describe(false) } }) },
    },
    {
      pattern: 'internal/ui/mounts/*path',
      answers: {
        read: (call) => {
          const found = mounts.find(param(call, 'path'));
          if (found === undefined)
            throw new ApiRefusal(
              403,
              `preflight capability check returned 403, please ensure client's policies grant access to path "${param(call, 'path')}"`,
            );
          return { data: { ...describeMount(found.mount), path: found.prefix } };
        },
      },
    },
  ];
}

/** `sys/auth`. */
export function authRoutes(mounts: MountTable): Route[] {
  return [
    { pattern: 'auth', answers: { read: () => ({ data: mounts.describe(true), flat: true }) } },
    {
      pattern: 'auth/*path',
      sudo: ['read', 'update', 'delete'],
      answers: {
        read: (call) => {
          const tuned = tunedMount(mounts, call, 'auth/');
          if (tuned !== undefined) return tuned;
          const mount = mounts.get(prefixOf(call, 'auth/'));
          if (mount === undefined) throw new ApiRefusal(400, `No auth engine at ${nameOf(call)}/`);
          return { data: describeMount(mount), flat: true };
        },
        update: (call) => {
          refuseTuning(call);
          const fields = new Fields(call.body);
          const type = fields.required('type');
          if (type !== 'approle') {
            throw new ApiRefusal(
              400,
              `the embedded development Vault has only the AppRole auth method, not ${JSON.stringify(type)}`,
            );
          }
          mounts.addAppRole(nameOf(call), fields.text('description') ?? '');
          return undefined;
        },
        delete: (call) => {
          mounts.remove(prefixOf(call, 'auth/'));
          return undefined;
        },
      },
    },
  ];
}

function nameOf(call: Call): string {
  return param(call, 'path').replace(/\/$/, '');
}

function prefixOf(call: Call, under: '' | 'auth/'): string {
  return `${under}${nameOf(call)}/`;
}

/** `sys/mounts/NAME/tune` and `sys/auth/NAME/tune`, as they are where nobody tuned; undefined for another path. */
function tunedMount(mounts: MountTable, call: Call, under: '' | 'auth/'): Answer | undefined {
  const name = tunedName(call);
  const mount = name === undefined ? undefined : mounts.get(`${under}${name}/`);
  if (mount === undefined) return undefined;
  const data = {
    default_lease_ttl: longestTtl,
    max_lease_ttl: longestTtl,
    force_no_cache: false,
    description: mount.description,
    ...(mount.options === null ? {} : { options: mount.options }),
    ...(under === '' ? {} : { token_type: 'default-service' }),
  };
  return { data, flat: true };
}

function refuseTuning(call: Call): void {
  if (tunedName(call) !== undefined) throw notHere(call.path);
}

function tunedName(call: Call): string | undefined {
  return /^(.+)\/tune$/.exec(nameOf(call))?.[1];
}
