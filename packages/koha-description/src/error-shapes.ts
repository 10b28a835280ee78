import { isRecord } from './is-record.ts';

/**
 * Whether a body is one of the five shapes in which Koha answers an error: `error` with or without a code
 * (`Koha/REST/Plugin/Exceptions.pm`, with the number 1 for an operator that it does not know), the validator's `errors`, a list for a
 * parameter that the route does not know (`Koha/REST/V1/Auth.pm`, `validate_query_parameters`), and a string for an embed on a
 * route without embeds (`Koha/REST/Plugin/Query.pm`, `stash_embed`).
 */
export function isErrorShape(body: unknown): boolean {
  if (typeof body === 'string') return body === 'Embedding objects is not allowed on this endpoint.';
  if (Array.isArray(body)) return body.length > 0 && body.every(isComplaint);
  if (!isRecord(body)) return false;
  if (Array.isArray(body['errors']))
    return body['errors'].every(isComplaint) && typeof body['status'] === 'number';
  if (body['error'] === 1) return body['error_code'] === 'invalid_query';
  const code = body['error_code'];
  return typeof body['error'] === 'string' && (code === undefined || typeof code === 'string');
}

function isComplaint(value: unknown): boolean {
  return isRecord(value) && typeof value['message'] === 'string' && typeof value['path'] === 'string';
}
