import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';
import { invalidRequest } from './validation.ts';

/** The entity tag of a version. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * Checks `If-Match` against the version that is there. Without the header, or with `*`, any version will do.
 *
 * @throws {Problem} 412 when it is another; 400 when the header holds no tag of ours
 */
export function checkIfMatch(request: FastifyRequest, version: number): void {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return;
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^"\d{1,10}"$/.test(tag))) {
    throw invalidRequest([{ in: 'header', pointer: '/if-match', detail: 'must be an ETag, such as "3"' }]);
  }
  if (tags.includes(entityTag(version))) return;
  throw new Problem({
    status: 412,
    code: 'version-changed',
    title: 'The resource was changed in the meantime',
    detail: `its ETag is ${entityTag(version)} now; read it again`,
  });
}
