import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { isRecord } from '../record.ts';
import { pluginRoute } from './plugin-route.ts';
import type { OutcomeRow } from './plugin-tables.ts';
import { sessionCookie } from '../auth/authenticate.ts';
import {
  decidesOf,
  deskOf,
  isCardShaped,
  isEventId,
  isItem,
  mayOverride,
  postEvent,
  queryReceiver,
  scanKey,
  sendScan,
} from './receiver.ts';

/** What the desk is answered when an event could not be sent, and whether trying again is of use (503). */
const faults = {
  not_configured: [503, 'The passport service is not set up here'],
  not_a_card: [422, 'This is not shaped like a card number'],
  item_here: [422, 'This is the barcode of an item here'],
  not_found: [404, 'Nothing is known of this scan'],
  not_seen: [404, 'The passport service has not seen this scan'],
  not_kept: [404, 'The passport service does not know this scan any more'],
  no_library: [400, 'You are logged in without a library'],
  not_allowed: [403, 'This takes the permission force_checkout'],
  other_branch: [403, 'The scan was made at another library'],
  no_question: [409, 'This scan does not wait for the answer'],
  receiver_unreachable: [503, 'The passport service cannot be reached'],
  receiver_busy: [503, 'The passport service is busy'],
  receiver_refused: [502, 'The passport service refuses this library'],
} as const;

function fault(code: keyof typeof faults, retryAfter: string | null = null, eventId?: string): Answer {
  const [status, error] = faults[code];
  const named = eventId === undefined ? {} : { event_id: eventId };
  const answer = problem(status, error, { ...named, error_code: code });
  return retryAfter === null ? answer : { ...answer, headers: { 'Retry-After': retryAfter } };
}

interface Refused {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** `eventId` is named where the event may have been taken all the same, so that whoever cancels can name it (the plugin's `Route.pm`). */
function notTaken({ status, retryAfter }: Refused, eventId?: string): Answer {
  if (status === 422) return fault('not_a_card');
  if (status === 429) return fault('receiver_busy', retryAfter);
  if (status === 503) return fault('receiver_busy', retryAfter, eventId);
  return status >= 500 ? fault('receiver_unreachable', null, eventId) : fault('receiver_refused');
}

/**
 * Signs an event and sends it, unless the page comes of a scan that the hook has just reported: then that event is
 * followed. With `item_barcode` the service checks that item out itself. The barcode of an item here is a card only where somebody said so.
 */
const addScan = pluginRoute(
  'desk',
  'POST',
  '/scans',
  async ({ double, body, actingLibrary, user, headers }) => {
    const { webhook } = double.settings;
    if (webhook === null || webhook.off?.includes('staff') === true) return fault('not_configured');
    const { cardnumber, item_barcode: barcode, is_card: isCard } = isRecord(body) ? body : {};
    const card = String(cardnumber);
    if (!isCardShaped(card, webhook.patterns)) return fault('not_a_card');
    if (isCard !== true && isItem(double, card)) return fault('item_here');
    const { outcomes } = double.db;
    const item = typeof barcode === 'string' ? barcode.trim() : '';
    const session = sessionCookie(headers);
    const desk = session === undefined ? undefined : deskOf(webhook.secret, session);
    const handed =
      item === '' ? outcomes.handOut(scanKey(webhook.secret, card, desk), double.realNowMs()) : null;
    if (handed !== null) return taken(handed, { status: 'accepted', joined: true });
    const eventId = double.newId();
    const scan = {
      cardnumber: card,
      branch: actingLibrary,
      interface: 'staff' as const,
      operator: user.patron_id,
      decides: decidesOf(user),
      ...(desk === undefined ? {} : { desk }),
      ...(item === '' ? {} : { item_barcode: item }),
    };
    const sent = await sendScan(double, scan, eventId);
    if (sent.kind === 'unreachable') return fault('receiver_unreachable', null, eventId);
    if (sent.kind === 'refused') return notTaken(sent, eventId);
    outcomes.note(sent.eventId, double.realNowMs());
    return taken(sent.eventId, sent.answer);
  },
);

function taken(eventId: string, { status, duplicate, joined }: Readonly<Record<string, unknown>>): Answer {
  const marks = Object.entries({ duplicate, joined }).filter(([, is]) => is === true);
  return { status: 202, body: { event_id: eventId, status, ...Object.fromEntries(marks) } };
}

/** What a code is that was scanned into the panel. */
const readCode = pluginRoute('desk', 'POST', '/codes', ({ double, body }) => {
  const code = String((body as { readonly code?: unknown }).code);
  const patron = double.db.patrons.withCard(code.trim());
  return ok({ is_item: isItem(double, code), is_patron: patron !== undefined });
});

/** The receiver is queried only when the service, which reports every change, should have done so by now. */
const getScan = pluginRoute('desk', 'GET', '/scans/{event_id}', async ({ double, path }) => {
  const { outcomes } = double.db;
  const id = String(path['event_id']);
  if (outcomes.mayQuery(id, double.realNowMs())) {
    const current = stateOf(id, await queryReceiver(double, id));
    if (current !== null) outcomes.putCurrent(current, double.realNowMs());
  }
  const row = outcomes.get(id);
  if (row !== undefined) return ok(cleanedState(row));
  return outcomes.isNoted(id)
    ? ok(cleanedState({ event_id: id, seq: 0, state: 'queued' }))
    : fault('not_found');
});

const results: readonly unknown[] = ['NOTHING_WRITTEN', 'CHECKOUT_STOPPED', 'ENDED', 'PENDING'];

/** Has the service cancel an event, and hands on what it came to. */
const cancelScan = pluginRoute('desk', 'POST', '/scans/{event_id}/cancel', async ({ double, path }) => {
  if (double.settings.webhook === null) return fault('not_configured');
  const answered = await postEvent(double, String(path['event_id']), 'scan.cancelled', {}, '/cancel');
  if (answered === null) return fault('receiver_unreachable');
  const { status, body } = answered;
  const { state, result, reason } = isRecord(body) ? body : {};
  // Something before the service answers 404, too, and does not say which.
  if (status === 404) return fault(reason === 'not_seen' || reason === 'not_kept' ? reason : 'not_found');
  if (status !== 200 && status !== 202) return notTaken(answered);
  if (!isRecord(state) || !isEventId(state['event_id']) || !results.includes(result)) {
    return fault('receiver_unreachable');
  }
  const { event_id: eventId } = state;
  const row = stateOf(eventId, state);
  if (row !== null) double.db.outcomes.put(row, double.realNowMs());
  return ok({ event_id: eventId, result, state: cleanedState(state) });
});

/** What the patron said, from the desk to the service. */
const consentScan = pluginRoute('desk', 'POST', '/scans/{event_id}/consent', async (call) => {
  const { double, path, body, user } = call;
  if (double.settings.webhook === null) return fault('not_configured');
  const data = { ...(isRecord(body) ? body : {}), operator: user.patron_id };
  const answered = await postEvent(double, String(path['event_id']), 'consent.answered', data, '/consent');
  if (answered === null) return fault('receiver_unreachable');
  if (answered.status === 404) return fault('not_found');
  if (answered.status === 409) return fault('no_question');
  return answered.status === 200 ? { status: 204 } : notTaken(answered);
});

/** What staff have decided of a scan that waits for it, with where they are. */
const decideScan = pluginRoute('desk', 'POST', '/scans/{event_id}/decision', async (call) => {
  const { double, path, body, user, actingLibrary } = call;
  if (double.settings.webhook === null) return fault('not_configured');
  const { question, option } = isRecord(body) ? body : {};
  if (actingLibrary === '') return fault('no_library');
  if (question === 'OVERRIDE' && !mayOverride(user)) return fault('not_allowed');
  const data = { question, option, branch: actingLibrary, operator: user.patron_id };
  const answered = await postEvent(double, String(path['event_id']), 'scan.decided', data, '/decision');
  if (answered === null) return fault('receiver_unreachable');
  if (answered.status === 404) return fault('not_found');
  if (answered.status === 409) {
    const isElsewhere = isRecord(answered.body) && answered.body['code'] === 'other_branch';
    return fault(isElsewhere ? 'other_branch' : 'no_question');
  }
  return answered.status === 200 ? { status: 204 } : notTaken(answered);
});

const putOutcome = pluginRoute('service', 'PUT', '/scans/{event_id}/outcome', (call: ApiCall) => {
  const state = stateOf(String(call.path['event_id']), call.body);
  if (state === null) return problem(400, 'The state is of another event', { error_code: 'other_event' });
  call.double.db.outcomes.put(state, call.double.realNowMs());
  return { status: 204 };
});

const states = ['queued', 'working', 'waiting', 'done', 'failed'] as const;

type Cleaner = (value: unknown) => unknown;

const text: Cleaner = (value) =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 500) : null;
const number: Cleaner = (value) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : null);
const listOf =
  (clean: Cleaner): Cleaner =>
  (value) => {
    const list: readonly unknown[] = Array.isArray(value) ? value.slice(0, 50) : [];
    return list.map(clean).filter((item) => item !== null);
  };
const objectOf =
  (shape: Readonly<Record<string, Cleaner>>): Cleaner =>
  (value) =>
    isRecord(value) ? cleanedBy(shape, value) : null;
const libraries = listOf(objectOf({ id: text, name: text }));

/** The library's own text, by language: longer than all else, and many at most. */
const texts: Cleaner = (value) =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {})
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .slice(0, 20)
      .filter(([language, words]) => /^[A-Za-z0-9-]{1,35}$/.test(language) && typeof words === 'string')
      .map(([language, words]) => [language, String(words).slice(0, 2_000)]),
  );
const asksShape = { question: text, options: listOf(text), answer_by: text };
const consentShape = { text_id: text, answer_by: text, texts };

/** What of a state leaves the plugin (its `State.pm`): whatever else was reported is left out. */
const stateShape = {
  event_id: text,
  library: text,
  seq: number,
  state: text,
  outcome: text,
  reasons: listOf(text),
  homes: libraries,
  patron_id: number,
  checkout: objectOf({ result: text, keys: listOf(text) }),
  waiting_for: objectOf({
    library: text,
    reason: text,
    next_try_at: text,
    gives_up_at: text,
    checkout_by: text,
  }),
  problem: objectOf({ library: text, what: text, name: text }),
  consent: (value) => (isRecord(value) && isRecord(value['texts']) ? cleanedBy(consentShape, value) : null),
  asks: (value) => (isRecord(value) && text(value['question']) !== null ? cleanedBy(asksShape, value) : null),
  observed: objectOf({ category: text }),
  attempt: number,
  libraries,
  message: text,
  scanned_at: text,
  updated_at: text,
} satisfies Readonly<Record<string, Cleaner>>;

const cleanedState = (reported: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  cleanedBy(stateShape, reported);

function cleanedBy(
  shape: Readonly<Record<string, Cleaner>>,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shape).map(([name, clean]) => [name, clean(value[name])]));
}

/** The state of this event, or null where it is none that can be kept. */
function stateOf(id: string, state: unknown): OutcomeRow | null {
  if (!isRecord(state) || state['event_id'] !== id) return null;
  const { seq, state: word } = state;
  if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0) return null;
  const known = states.find((one) => one === word);
  return known === undefined ? null : { ...state, event_id: id, seq, state: known };
}

export const scanRoutes: readonly Operation[] = [
  addScan,
  readCode,
  getScan,
  cancelScan,
  consentScan,
  decideScan,
  putOutcome,
];
