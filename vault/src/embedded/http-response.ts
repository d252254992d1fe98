import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../json.ts';
import type { ApiRefusal } from './refusal.ts';
import type { Answer, Operation } from './routes.ts';
import { newId } from './secrets.ts';

/** Sends an answer in Vault's envelope. A read or list that found nothing is 404, a write with nothing to say 204. */
export function sendAnswer(response: ServerResponse, operation: Operation, answer: Answer | undefined): void {
  const { status, body } = answer?.plain === undefined ? shape(operation, answer) : plain(answer);
  send(response, status, body);
}

interface Shape {
  readonly status: number;
  readonly body: JsonObject | undefined;
}

function plain({ status, plain: body }: Answer): Shape {
  return { status: status ?? 200, body };
}

function shape(operation: Operation, answer: Answer | undefined): Shape {
  const isQuery = operation === 'read' || operation === 'list' || operation === 'patch';
  const keys = answer?.data?.['keys'];
  const found = answer !== undefined && !(operation === 'list' && Array.isArray(keys) && keys.length === 0);
  const hasContent =
    answer?.data !== undefined || answer?.auth !== undefined || answer?.warnings !== undefined;
  const isMissing = (isQuery && !found) || (answer?.status === 404 && !hasContent);
  if (isMissing) return { status: 404, body: { errors: [] } };
  if (answer === undefined || !hasContent) return { status: 204, body: undefined };
  return { status: answer.status ?? 200, body: envelope(answer) };
}

/** Sends Vault's error shape; closes the connection when the rest of the request was left unread. */
export function sendRefusal(response: ServerResponse, { status, errors }: ApiRefusal): void {
  if (status === 413) response.setHeader('Connection', 'close');
  send(response, status, { errors });
}

function envelope({ data, auth, warnings, flat }: Answer): JsonObject {
  return {
    request_id: newId(),
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: data ?? null,
    wrap_info: null,
    warnings: warnings ?? null,
    auth: auth ?? null,
    ...(flat ? data : {}),
  };
}

function send(response: ServerResponse, status: number, body: JsonObject | undefined): void {
  const text = body === undefined ? undefined : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(text === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
  });
  response.end(text);
}
