import { parseJsonBody } from '../answers/json-body.ts';
import type { Answer } from '../answers/read-answer.ts';
import { KohaError } from './koha-error.ts';
import { isRecordPlace, parseRefusal } from './refusal.ts';

/** What is looked at of a body. Koha's refusals are a few hundred bytes; a page has its title near its beginning. */
const LONGEST_BODY = 8_192;
const MOST_COMPLAINTS = 3;

/**
 * What tells one fault of a set-up from another: the `error_code`s of Koha's routes (`Koha/REST/V1/Auth.pm`, `Plugin/Query.pm`,
 * `Plugin/Exceptions.pm`), beginnings of its validator's and its own constant sentences, the database's complaint of an order key, and
 * what web servers and proxies call their pages.
 */
const CODES = ['internal_server_error', 'invalid_query', 'unauthorized_client', 'access_denied', 'not_found'];
const SENTENCES = [
  'Embedding objects is not allowed on this endpoint',
  'Malformed query string',
  'Not in enum list',
  'Expected integer - got string',
  'Missing property',
  'Properties not allowed',
  'No response rule',
  'Something went wrong, check Koha logs for details',
  'Something went wrong, check the logs',
  'Internal Server Error',
  'out of range',
  'in ORDER BY is ambiguous',
  'Unknown column',
  'Unimplemented grant type',
  'Too many requests',
  'Log in',
  'Moved Permanently',
  'Bad Request',
  'Unauthorized',
  'Forbidden',
  'Not Found',
  'Bad Gateway',
  'Service Unavailable',
  'Gateway Timeout',
  'System Maintenance',
];
/** Places of what this client sends, as Koha's validator names them. */
const PLACE =
  /^\/(body|path|item_id|patron_id|library_id|x-koha-(embed|library|override)(\/\d)?|query\/(q|_order_by|_per_page|_page|match|_match))?$/;

interface Kept {
  readonly quote: string | null;
  readonly isPage: boolean;
}
const kept = new WeakMap<KohaError, Kept>();

/** Keeps for `quoteOf` what the answer says that a failure stands for. Not on the error itself: loggers and queues print that. */
export function withQuote(error: KohaError, answer: Answer): KohaError {
  const [header = ''] = [answer.headers['content-type']].flat();
  const json = answer.body.byteLength > LONGEST_BODY ? null : parseJsonBody(answer);
  const isPage = !/^application\/json *(;|$)/i.test(header) && (json === undefined || json === null);
  kept.set(error, { quote: isPage ? quotePage(answer) : quoteRefusal(answer), isPage });
  return error;
}

/** Does what follows a request of the same call that Koha has read: whatever fails from there on, something was sent. */
export async function afterSent<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    const after = new KohaError({ ...error, wasSent: true });
    const quoted = kept.get(error);
    if (quoted !== undefined) kept.set(after, quoted);
    throw after;
  }
}

/**
 * What Koha, or what stands in its place, answered to the call that failed: codes, places and beginnings of sentences that are listed
 * here, and nothing of its own, so that no text of a stranger and nothing about a patron can be in it. Null where there was no answer,
 * or nothing listed in it.
 */
export function quoteOf(error: KohaError): string | null {
  return kept.get(error)?.quote ?? null;
}

/** Whether the failed call was answered by something that is no API: a page of a proxy, a portal, a login, a web server. */
export function isAnsweredByPage(error: KohaError): boolean {
  return kept.get(error)?.isPage ?? false;
}

const listed = (text: string): string | undefined => SENTENCES.find((sentence) => text.includes(sentence));

function quoteRefusal(answer: Answer): string | null {
  const refusal = parseRefusal(answer);
  if (refusal === null) return null;
  const { error, errorCode, misfits } = refusal;
  const complaints = misfits.slice(0, MOST_COMPLAINTS).map(({ path, message }) => {
    const place = PLACE.test(path) || isRecordPlace(path) ? path : undefined;
    return [place, listed(message)].filter((part) => part !== undefined).join(': ');
  });
  const codes = CODES.filter((code) => code === errorCode || code === error);
  return [listed(error), ...codes, ...complaints].filter(Boolean).join('; ') || null;
}

function quotePage({ body }: Answer): string | null {
  if (body.byteLength === 0) return null;
  const start = new TextDecoder().decode(body.subarray(0, LONGEST_BODY));
  const title = /<title[^>]{0,100}>([^<]{0,200})/i.exec(start)?.[1] ?? '';
  return ['page', listed(title)].filter(Boolean).join(' ');
}
