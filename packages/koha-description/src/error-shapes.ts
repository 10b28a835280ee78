import { isRecord } from './is-record.ts';

/** Whether a body is one of the five shapes in which Koha answers an error (API.md, section 2). */
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
