import type { Json, JsonObject } from '../json.ts';
import type { AppRoleStore, Role, SecretId } from './approle.ts';
import { Fields } from './fields.ts';
import { ApiRefusal } from './refusal.ts';
import { roleOf } from './role-name.ts';
import type { Answer, Call, Route } from './routes.ts';

/** The routes of one role's secret ids: make, list, look up, destroy, by their text or their accessor. */
export function secretIdRoutes(store: AppRoleStore): Route[] {
  const bySecret = (call: Call) => {
    const text = new Fields(call.body).text('secret_id') ?? '';
    if (text === '') throw new ApiRefusal(400, 'missing secret_id');
    const role = roleOf(store, call);
    return { role, secretId: store.findSecretId(role, text) };
  };
  const byAccessor = (call: Call) => {
    const accessor = new Fields(call.body).required('secret_id_accessor');
    const role = roleOf(store, call);
    const secretId = store.secretIds(role).find((candidate) => candidate.accessor === accessor);
    if (secretId === undefined) {
      throw new ApiRefusal(
        404,
        `failed to find accessor entry for secret_id_accessor: ${JSON.stringify(accessor)}`,
      );
    }
    return { role, secretId };
  };
  const look = ({ secretId }: { secretId: SecretId | undefined }): Answer | undefined =>
    secretId === undefined ? undefined : { data: secretIdBlock(secretId) };
  const destroy = ({ role, secretId }: { role: Role; secretId: SecretId | undefined }): undefined => {
    if (secretId !== undefined) store.destroySecretId(role, secretId);
  };
  return [
    {
      pattern: 'role/:role/secret-id',
      answers: {
        list: (call) => ({
          data: { keys: store.secretIds(roleOf(store, call)).map(({ accessor }) => accessor) },
        }),
        update: (call) => createSecretId(store, call, false),
      },
    },
    {
      pattern: 'role/:role/custom-secret-id',
      answers: { update: (call) => createSecretId(store, call, true) },
    },
    { pattern: 'role/:role/secret-id/lookup', answers: { update: (call) => look(bySecret(call)) } },
    {
      pattern: 'role/:role/secret-id/destroy',
      answers: { update: (call) => destroy(bySecret(call)), delete: (call) => destroy(bySecret(call)) },
    },
    {
      pattern: 'role/:role/secret-id-accessor/lookup',
      answers: { update: (call) => look(byAccessor(call)) },
    },
    {
      pattern: 'role/:role/secret-id-accessor/destroy',
      answers: { update: (call) => destroy(byAccessor(call)), delete: (call) => destroy(byAccessor(call)) },
    },
  ];
}

function createSecretId(store: AppRoleStore, call: Call, custom: boolean): Answer {
  const role = roleOf(store, call);
  if (!role.settings.bindSecretId) throw new ApiRefusal(400, 'bind_secret_id is not set on the role');
  const fields = new Fields(call.body);
  fields.unsupported('cidr_list', 'token_bound_cidrs');
  const { text, secretId } = store.createSecretId(role, {
    text: custom ? fields.required('secret_id') : undefined,
    uses: fields.amount('num_uses'),
    ttl: fields.seconds('ttl'),
    metadata: parseMetadata(fields.raw('metadata')),
  });
  return {
    data: {
      secret_id: text,
      secret_id_accessor: secretId.accessor,
      secret_id_num_uses: secretId.usesLeft,
      secret_id_ttl: secretId.ttl,
    },
  };
}

/** Metadata comes as an object, or as text that holds one. */
function parseMetadata(value: Json | undefined): Record<string, string> {
  const wrong = new ApiRefusal(400, 'metadata: expected a JSON object of texts');
  let object: unknown = value ?? {};
  try {
    if (typeof object === 'string') object = object === '' ? {} : JSON.parse(object);
  } catch {
    throw wrong;
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) throw wrong;
  return Object.fromEntries(
    Object.entries(object).map(([key, text]) => {
      if (typeof text !== 'string') throw wrong;
      return [key, text];
    }),
  );
}

function secretIdBlock(secretId: SecretId): JsonObject {
  const iso = (milliseconds: number | undefined) =>
    milliseconds === undefined ? '0001-01-01T00:00:00Z' : new Date(milliseconds).toISOString();
  return {
    cidr_list: [],
    creation_time: iso(secretId.createdAt),
    expiration_time: iso(secretId.expiresAt),
    last_updated_time: iso(secretId.updatedAt),
    metadata: secretId.metadata,
    secret_id_accessor: secretId.accessor,
    secret_id_num_uses: secretId.usesLeft,
    secret_id_ttl: secretId.ttl,
    token_bound_cidrs: [],
  };
}
