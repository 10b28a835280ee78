import { parseJsonBody } from './answer-body.ts';
import { KohaError } from './koha-error.ts';
import { isRecordPlace } from './record-place.ts';
import type { Answer } from '../transport/transport.ts';

/** The longest quote; Koha's own sentences are shorter. */
const LONGEST_QUOTE = 200;
/** What is looked at of a body. Koha's refusals are a few hundred bytes; a page has its title near its beginning. */
const LONGEST_BODY = 8_192;
const MOST_COMPLAINTS = 3;

/**
 * The words of Koha's own refusals to the reads this client makes (`api/v1`'s validator, `Koha/REST/V1/Auth.pm`, `Plugin/Query.pm`,
 * `Plugin/Exceptions.pm`), of the database's complaints, and of the pages that web servers and proxies put in Koha's place.
 */
const VOCABULARY = new Set(
  `a access account action additional allowed ambiguous an and api application apache are argument array at attempt attribute attributes
  authentication authorization authorize authorized bad be been body boolean but by bytes cannot category check checkout checkouts
  circulation client code column combination conflict connection context could credentials data database date default deleted denied details
  day disabled does down duplicate each embed embedding enabled endpoint enum error errors exist exists expected expired extended
  failed failure field fields for forbidden format found gateway given got grant group has have header headers hour id identifier in
  integer internal invalid is item items json key koha length library list log logs long login maintenance malformed many match matching
  maximum message method minimum minute missing month moved must name nginx no not null number object objects of offset on one only operator or order out page
  parameter parameters parse password patron patrons permanently permission permissions permitted plack pattern please prefetch
  properties property proxy query range read redirect refused related relation request requests required resource restricted route rule
  rules schema see server service session set site something sort starman status string syntax system table temporarily the this time
  timeout to token too tried try type unable unauthorized unavailable under unexpected unimplemented unknown unsupported url use used
  user value values version was web went when where with without wrong xml yes you your doesn't isn't can't can
  bookings borrowernumber borrowers branch branchcode cardnumber categorycode clause select from join left inner group having limit
  dbix class dbic resultset me 302 400 401 403 404 405 406 408 413 414 415 429 500 501 502 503 504`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Identifiers of Koha's API as this client sends them and Koha names them: lower case with underscores and dots, none a value. */
const IDENTIFIERS = new Set(
  `patron_id item_id library_id category_id patron_category_id item_type_id checkout_id external_id extended_attributes
  extended_attributes.code extended_attributes.attribute extended_attributes.borrowernumber account_balance me.patron_id
  me.borrowernumber me.item_id me.itemnumber itemnumber required_permissions error_code invalid_query not_found internal_server_error
  unauthorized_client access_denied invalid_attribute_type list_borrowers edit_borrowers manage_bookings label_creator routing
  order_manage circulate_remaining_permissions circulate manage_patron_categories view_borrower_infos_from_any_libraries catalogue
  parameters serials acquisition tools superlibrarian client_credentials grant_type x-koha-embed x-koha-library x-koha-override
  x-koha-request-id _per_page _page _order_by _match q rules effective application/json text/html text/plain text/xml
  application/xml /query /query/q /query/_order_by /query/_per_page /query/_page /body /x-koha-embed /x-koha-embed/0 /x-koha-embed/1
  /x-koha-library /x-koha-override/0 /grant_type /path /patron_id / order_by`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

interface Kept {
  readonly quote: string | null;
  readonly isPage: boolean;
}
const kept = new WeakMap<KohaError, Kept>();

/** Keeps for `quoteOf` what the answer says that a failure stands for. Not on the error itself: loggers and queues print that. */
export function withQuote(error: KohaError, answer: Answer): KohaError {
  const [header = ''] = [answer.headers['content-type']].flat();
  const type = header.split(';')[0]?.trim().toLowerCase() ?? '';
  const json = answer.body.byteLength > LONGEST_BODY ? null : parseJsonBody(answer);
  const isPage = type !== 'application/json' && (json === undefined || json === null);
  kept.set(error, { quote: quoteAnswer(answer, type, json), isPage });
  return error;
}

/** The failure of a call that Koha had read, and refused, before this try of it. */
export function withSentBefore(error: KohaError): KohaError {
  const after = new KohaError({ ...error, wasSent: true });
  const quoted = kept.get(error);
  if (quoted !== undefined) kept.set(after, quoted);
  return after;
}

/**
 * What Koha, or what stands in its place, answered to the call that failed, in at most 200 characters; null where nothing was
 * answered. Only words of Koha's own messages are in it, and `…` for all others, so that no text of a stranger and nothing about a
 * patron can be.
 */
export function quoteOf(error: KohaError): string | null {
  return kept.get(error)?.quote ?? null;
}

/** Whether the failed call was answered by something that is no API: a page of a proxy, a portal, a login, a web server. */
export function isAnsweredByPage(error: KohaError): boolean {
  return kept.get(error)?.isPage ?? false;
}

function quoteAnswer({ body }: Answer, type: string, json: unknown): string | null {
  const texts = textsOf(json);
  if (texts.length > 0) return known(texts.join('; '));
  if (body.byteLength === 0) return null;
  const start = new TextDecoder().decode(body.subarray(0, LONGEST_BODY));
  const title = /<title[^>]{0,100}>([^<]{0,200})/i.exec(start)?.[1];
  if (title !== undefined) return known(`page ${title}`);
  return known(json === undefined ? `no JSON ${type}` : type);
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** The texts of the shapes that Koha's error bodies have. */
function textsOf(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  if (Array.isArray(json)) return json.slice(0, MOST_COMPLAINTS).flatMap(complaintOf);
  if (!isObject(json)) return [];
  const { error, error_code: code, errors } = json;
  return [
    ...[error, code].filter((text) => typeof text === 'string' || typeof text === 'number').map(String),
    ...(Array.isArray(errors) ? errors.slice(0, MOST_COMPLAINTS).flatMap(complaintOf) : []),
  ];
}

function complaintOf(json: unknown): string[] {
  if (!isObject(json)) return [];
  const { path, message } = json;
  const parts = [path, message].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? [] : [parts.join(': ')];
}

/** The text with every word that is not Koha's replaced, and cut. */
function known(text: string): string {
  const words = text
    .slice(0, 4 * LONGEST_QUOTE)
    .split(/\s+/)
    .map(knownWord);
  const quote = words.filter((word, place) => word !== '…' || words[place - 1] !== '…').join(' ');
  return quote.length > LONGEST_QUOTE ? `${quote.slice(0, LONGEST_QUOTE - 1)}…` : quote;
}

function knownWord(word: string): string {
  const [, before = '', inner = '', after = ''] = /^(["'(]{0,2})(.*?)([.,:;!?"')]{0,3})$/s.exec(word) ?? [];
  if (isRecordPlace(inner)) return word;
  const plain = inner.toLowerCase().replace(/\(s\)$/, '');
  const isKnown = VOCABULARY.has(plain) || VOCABULARY.has(plain.replace(/s$/, '')) || IDENTIFIERS.has(plain);
  return isKnown ? `${before}${inner}${after}` : '…';
}
