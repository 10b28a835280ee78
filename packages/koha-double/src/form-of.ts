import type { FastifyRequest } from 'fastify';

/** The fields of a form-encoded body; undefined for any other. */
export function formOf(request: FastifyRequest): URLSearchParams | undefined {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm && Buffer.isBuffer(request.body)
    ? new URLSearchParams(request.body.toString('utf8'))
    : undefined;
}
