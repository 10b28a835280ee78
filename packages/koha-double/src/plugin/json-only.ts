import { problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';

/** Koha reads a body as JSON whatever its type is said to be; the plugin's routes do not (its `Route.pm`). */
export const isSentAsJson = ({ headers }: ApiCall): boolean =>
  /^\s*application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');

export const notJson = (): Answer =>
  problem(415, 'This takes application/json only', { error_code: 'not_json' });
