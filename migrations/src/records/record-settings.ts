import { markSecret } from '@lockstep/foundation';
import { readSecretSetting } from '../secret-file.ts';
import type { SettingKey } from '../setting-names.ts';
import type { SettingSources } from '../setting-sources.ts';

/** Where a run is told of, besides its log. */
export interface AuditSettings {
  /** Loki's push API; undefined when no sink is named. */
  readonly sink:
    | { readonly url: string; readonly authorization: string | undefined; readonly shown: string }
    | undefined;
  /** Where events wait that the sink did not take. */
  readonly spool: string;
  readonly correlationId: string | undefined;
  readonly traceId: string | undefined;
  readonly userId: string | undefined;
}

/** Files for machines. */
export interface RecordFiles {
  /** `key=value` lines are added to it. */
  readonly outputs: string | undefined;
  /** Prometheus text; replaced. */
  readonly metrics: string | undefined;
}

const pushPath = '/loki/api/v1/push';
const longestId = 200;

export function readAudit(sources: SettingSources): AuditSettings {
  return {
    sink: readSink(sources),
    spool: readPlace(sources, 'auditSpool') ?? './migrate-audit.ndjson',
    correlationId: readId(sources, 'correlationId'),
    traceId: readId(sources, 'traceId'),
    userId: readId(sources, 'userId'),
  };
}

export function readRecordFiles(sources: SettingSources): RecordFiles {
  return {
    outputs: readPlace(sources, 'outputs'),
    metrics: readPlace(sources, 'metrics'),
  };
}

/** A URL without a path means Loki's own; a user and a password in it become a header, and are secret. */
function readSink({ reader, pick }: SettingSources): AuditSettings['sink'] {
  const secret = readSecretSetting(reader, pick('auditUrl'));
  if (secret.text === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(secret.text.trim());
  } catch {
    reader.mistake(secret.name, `${secret.prefix}expected a URL such as http://loki:3100`);
    return undefined;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    reader.mistake(secret.name, `${secret.prefix}expected http:// or https://`);
    return undefined;
  }
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (password !== '') markSecret(password);
  url.username = '';
  url.password = '';
  url.hash = '';
  if (url.pathname === '/') url.pathname = pushPath;
  const authorization =
    user === '' && password === ''
      ? undefined
      : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (authorization !== undefined) markSecret(authorization.slice('Basic '.length));
  return { url: url.href, authorization, shown: url.origin };
}

/** Whoever made the id may have made it of anything: what is not printable, or too long, is left out. */
function readId({ reader, pick }: SettingSources, key: SettingKey): string | undefined {
  const text = reader
    .text(pick(key))
    ?.replace(/\p{C}+/gu, '')
    .slice(0, longestId);
  return text === '' ? undefined : text;
}

function readPlace({ reader, pick }: SettingSources, key: SettingKey): string | undefined {
  const name = pick(key);
  const path = reader.text(name);
  if (path?.includes('\0')) reader.mistake(name, 'a path cannot hold a NUL character', path);
  return path;
}
