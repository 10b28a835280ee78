import type { FastifyRequest } from 'fastify';
import type { SignatureHeader } from '@passport/contract';

/** Every value of a header as it came over the wire; Node concatenates or drops repeated ones in `req.headers`. */
export function signatureHeaders(request: FastifyRequest): (name: SignatureHeader) => readonly string[] {
  const { rawHeaders } = request.raw;
  return (name) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
