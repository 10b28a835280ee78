const SCANS = '/api/v1/contrib/passport/scans';
const COPIES = '/api/v1/contrib/passport/copies';
const CODES = '/api/v1/contrib/passport/codes';
const PATIENCE_MS = 15000;

/** POST /scans: reports the card, with the item to check out when there is one. `isCard`: it is one, although an item here has it. */
export function reportCard(card, barcode, isCard) {
  const sent = { cardnumber: card };
  if (barcode) sent.item_barcode = barcode;
  if (isCard) sent.is_card = true;
  return call('POST', SCANS, sent);
}

/** POST /codes: whether a scanned code is the barcode of an item here, and whether a patron here has it. */
export function readCode(code) {
  return call('POST', CODES, { code });
}

/** What {@link readCode} says, {isItem, isPatron}; null where Koha does not. */
export async function identify(code) {
  const { status, body } = await readCode(code);
  return status === 200 && body ? { isItem: body.is_item === true, isPatron: body.is_patron === true } : null;
}

/** GET /scans/{event_id}: what is known of the event. */
export function fetchState(eventId) {
  return call('GET', `${SCANS}/${encodeURIComponent(eventId)}`);
}

/** POST /scans/{event_id}/cancel: what it came to, and the state. Sent to its end even where the page is left. */
export function cancelEvent(eventId) {
  return call('POST', `${SCANS}/${encodeURIComponent(eventId)}/cancel`, {}, true);
}

/** POST /scans/{event_id}/consent: what the patron said to the text with this id. */
export function answerConsent(eventId, answer, textId) {
  return call('POST', `${SCANS}/${encodeURIComponent(eventId)}/consent`, { answer, text_id: textId });
}

/** POST /scans/{event_id}/decision: what staff have decided, of what the state asks. */
export function decideScan(eventId, question, option) {
  return call('POST', `${SCANS}/${encodeURIComponent(eventId)}/decision`, { question, option });
}

/** GET /copies/{patron_id}/standing: what is known of a copy's standing at home. */
export function fetchStanding(patronId) {
  return call('GET', `${COPIES}/${encodeURIComponent(patronId)}/standing`);
}

/** Koha's own list of who has this card. */
export function fetchPatron(card) {
  const query = new URLSearchParams({ q: JSON.stringify({ cardnumber: card }), _per_page: '1' });
  return call('GET', `/api/v1/patrons?${query}`);
}

/** {status, body, retryAfterS}; status 0 when there was no answer. */
async function call(method, path, sent, outlivesPage) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path, {
      method,
      headers: headersOf(method, sent),
      credentials: 'same-origin',
      cache: 'no-store',
      body: sent ? JSON.stringify(sent) : undefined,
      keepalive: Boolean(outlivesPage),
      signal: patience.signal,
    });
    const body = await answer.json().catch(() => null);
    return { status: answer.status, body, retryAfterS: Number(answer.headers.get('retry-after')) || 0 };
  } catch {
    return { status: 0, body: null, retryAfterS: 0 };
  } finally {
    clearTimeout(timer);
  }
}

function headersOf(method, sent) {
  const headers = { Accept: 'application/json' };
  if (sent) headers['Content-Type'] = 'application/json';
  const token = csrfToken();
  if (method !== 'GET' && token) headers['CSRF-TOKEN'] = token;
  return headers;
}

function csrfToken() {
  const meta = document.querySelector('meta[name="csrf-token"]');
  const input = document.querySelector('input[name="csrf_token"]');
  return (meta && meta.getAttribute('content')) || (input && input.value) || '';
}
