import type { JsonObject } from '../json.ts';
import type { AppRoleStore, Role, SecretId, SecretIdSeed } from './approle.ts';
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
  const fields = new Fields(call.body);
  fields.unsupported('cidr_list', 'token_bound_cidrs');
  const { text, secretId } = store.createSecretId(role, {
    text: custom ? fields.required('secret_id') : undefined,
    ...limitsWithin(role, fields),
    metadata: parseMetadata(fields.text('metadata')),
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

/** What a secret id asks for stays within its role's limits, where 0 is no limit; Vault refuses rather than cuts it. */
function limitsWithin({ settings }: Role, fields: Fields): Pick<SecretIdSeed, 'uses' | 'ttl'> {
  const exceeds = (asked: number | undefined, limit: number) =>
    asked !== undefined && limit > 0 && (asked === 0 || asked > limit);
  const uses = fields.amount('num_uses');
  if (exceeds(uses, settings.secretIdUses)) {
    throw new ApiRefusal(400, "num_uses cannot be higher than the role's secret_id_num_uses");
  }
  const ttl = fields.seconds('ttl');
  if (exceeds(ttl, settings.secretIdTtl)) {
    throw new ApiRefusal(400, "ttl cannot be longer than the role's secret_id_ttl");
  }
  return { uses, ttl };
}

/** Metadata is text: a JSON object of texts, the same in base64, or `key=value` pairs with commas between. An object is refused. */
function parseMetadata(text = ''): Record<string, string> {
  const json = parseTexts(Buffer.from(text, 'base64').toString('utf8')) ?? parseTexts(text);
  if (json !== undefined || text === '') return json ?? {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const cut = pair.indexOf('=');
      if (cut < 1) throw new ApiRefusal(400, 'failed to parse metadata: expected JSON or key=value pairs');
      return [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
    }),
  );
}

function parseTexts(text: string): Record<string, string> | undefined {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined;
  const texts = Object.entries(object).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return texts.length === Object.keys(object).length ? Object.fromEntries(texts) : undefined;
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
