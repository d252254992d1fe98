import type { FastifyRequest } from 'fastify';
import { invalidRequest } from './validation.ts';

/**
 * Who asks: the header `x-actor`, or `anonymous` without one.
 *
 * The apps do not authenticate. Whatever stands in front of them must set the header and strip a caller's own.
 *
 * @throws {Problem} 400 when the header is not a name: letters, digits and `. _ @ -`, at most 100
 */
export function actorOf(request: FastifyRequest): string {
  const actor = request.headers['x-actor'];
  if (actor === undefined) return 'anonymous';
  if (typeof actor === 'string' && /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/.test(actor)) return actor;
  const detail = 'must be at most 100 letters, digits and . _ @ -, beginning with a letter or digit';
  throw invalidRequest([{ in: 'header', pointer: '/x-actor', detail }]);
}
