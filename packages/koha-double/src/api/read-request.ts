import type { FastifyRequest } from 'fastify';

const loneSurrogate = /\p{Surrogate}/u;

/**
 * What a body holds, or undefined when it is empty or no JSON: Koha takes both for "not there". Half a character is
 * no JSON to Koha's decoder.
 */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  let isWhole = true;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'), (key, value: unknown) => {
      if (loneSurrogate.test(key) || (typeof value === 'string' && loneSurrogate.test(value)))
        isWhole = false;
      return value;
    });
    return isWhole ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of a form-encoded body; undefined for any other. */
export function formOf(request: FastifyRequest): URLSearchParams | undefined {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm && Buffer.isBuffer(request.body)
    ? new URLSearchParams(request.body.toString('utf8'))
    : undefined;
}

/** The path of a request, and its raw query string without the question mark. */
export function splitUrl({ url }: FastifyRequest): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}
