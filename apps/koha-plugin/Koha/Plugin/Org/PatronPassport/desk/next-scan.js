import { fetchPatron, identify, readCode, reportCard } from './koha-api.js';
import { completeCard, looksLikeCard } from './koha-search.js';
import { itemIsHeld, noteLeft, noteLost, noteScan, releaseItem } from './noted-scans.js';
import { createPassage, isEarly } from './page.js';
import { readReport } from './read-answer.js';
import { wholeCode } from './read-code.js';

/** Pauses before a card is tried again, and how long all of it may take: the next one waits for it. */
const TRY_AGAIN_MS = [300, 1000, 2000];
const KEEP_TRYING_MS = 10000;
const CHECKOUT_PAGE = '/cgi-bin/koha/circ/circulation.pl';

/**
 * The way to the page of the next card, as by Koha's own checkout box. Another one that is scanned before that page is there takes its
 * place, as in every browser; what was scanned first is reported all the same, and noted; where it
 * cannot be, that is noted. An item that is scanned before that page is there is reported with its card, or noted. `patronId`: whose checkout this page is.
 */
export function createNextScan({ patterns, anyCard }, patronId) {
  const passage = createPassage();
  let opening = null;
  let unreported = null;
  let before = Promise.resolve();
  /** Cards that are being reported, and codes of which nobody knows yet what they are. */
  let keeping = 0;
  let following = 0;
  let lastFollowed = Promise.resolve();
  let isHeld = itemIsHeld(patronId);
  // whoever leaves the page meanwhile ends it
  window.addEventListener('pagehide', () => {
    for (; keeping > 0; keeping -= 1) noteLost('card');
    for (; following > 0; following -= 1) noteLost('code', { card: cardBefore() });
  });
  window.addEventListener('pageshow', () => {
    opening = null;
  });

  function goOn() {
    if (following === 0) passage.goOn();
  }

  const cardBefore = () => (opening === null ? unreported : opening);

  function release() {
    if (isHeld) releaseItem();
    isHeld = false;
  }

  /** A card was scanned: the item that was held back before this page was, belongs to whose page opens now, or is scanned there on purpose. */
  function begin(code) {
    release();
    opening = code;
    unreported = null;
  }

  function take(code) {
    const replaced = cardBefore();
    begin(code);
    if (replaced === null || replaced === code) return;
    // or that page would come while the first card is being reported, and this one be lost; while one is, no page is on its way
    if (keeping === 0) window.stop();
    passage.stay();
    keeping += 1;
    before = before.then(() => keep(replaced));
  }

  async function keep(code) {
    const isKept = await keepScan(code, patterns).catch(() => false);
    // or the page is gone, and it is noted
    if (keeping === 0) return;
    keeping -= 1;
    if (!isKept) noteLost('card', { card: code });
  }

  /** The first keys of this code may have been lost. What came meanwhile has the page. */
  async function openWhole(code) {
    const whole = wholeCode(code, await identify(code), patterns);
    if (whole === null || opening !== null) noteLost('code', { card: cardBefore() });
    else void nextScan.open(whole);
  }

  async function followOne(code) {
    const card = cardBefore();
    const isCard = !anyCard && looksLikeCard(code, patterns);
    // nothing is lent where the page of a code opens that looks like a card
    const is = (await identify(code)) || (isCard ? { isItem: false } : null);
    const lost = is === null ? 'code' : is.isItem ? await lostOf(card, code, is) : null;
    // or the page is gone, and it is noted
    if (following === 0) return;
    following -= 1;
    if (lost !== null) noteLost(lost, { card });
    else if (is.isItem) return;
    // what is none of these is a name, or may be half of a card or of an item
    else if (is.isPatron || looksLikeCard(code, patterns) || !/\d/.test(code)) void nextScan.open(code);
    else noteLost('code', { card });
  }

  /** As what an item is lost, or null where it was reported with its card. */
  async function lostOf(card, code, { isPatron }) {
    if (isPatron) return 'code';
    if (card === null || !looksLikeCard(card, patterns)) return 'item';
    const is = await identify(card);
    return is === null || is.isItem || is.isPatron ? 'item' : reportItem(card, code);
  }

  const nextScan = {
    isOpening: () => opening !== null,
    /** The card of this page, while nobody has looked it up, or null: the next one comes after it as after one whose page is not there yet. */
    after: (card) => (unreported = card),
    hold: passage.hold,
    /** The page goes on, once no code is followed any more. */
    goOn,
    /** Whether an item was held back before this page was: what is scanned here may be that one, and not this patron's. */
    isItemHeld: () => isHeld,
    /** Somebody has said that the next item is for this page's patron. */
    release,
    /** Opens the page of this code, once what was scanned before it is noted. */
    async open(code) {
      take(code);
      await before;
      if (opening === code) passage.go(addressOf(code));
    },
    /** Takes a code that is scanned while the page of a card opens: the next card, or an item for the one before it. One after the other. */
    follow(code) {
      passage.hold();
      following += 1;
      lastFollowed = lastFollowed.then(() => followOne(code)).then(goOn);
    },
    /** What is scanned into Koha's own box after it was sent is a code of its own, and not the rest of the first. */
    guard(box) {
      box.form.addEventListener('submit', (event) => {
        const code = box.value.trim();
        // at once, for the next key may come first; and after whatever Koha does, unless it has come
        box.select();
        setTimeout(() => box.value.trim() === code && box.select(), 0);
        if (isEarly() && completeCard(code, patterns) !== code) {
          event.preventDefault();
          void openWhole(code);
          return;
        }
        const replaced = cardBefore();
        if (replaced === null || (replaced === code && keeping === 0 && following === 0)) {
          begin(code);
          passage.note(addressOf(code));
          return;
        }
        event.preventDefault();
        if (code !== '') nextScan.follow(code);
      });
    },
  };
  return nextScan;
}

const addressOf = (code) => `${CHECKOUT_PAGE}?findborrower=${encodeURIComponent(code)}`;

/**
 * A card whose page is not coming any more: whether it is reported, or has no need to be. Who is a patron here, and what is an item, was
 * never searched for elsewhere.
 */
async function keepScan(code, patterns) {
  if (!looksLikeCard(code, patterns)) return true;
  const until = Date.now() + KEEP_TRYING_MS;
  for (const pauseMs of [...TRY_AGAIN_MS, null]) {
    const isKept = await tryScan(code);
    if (isKept !== null) return isKept;
    if (pauseMs === null || Date.now() + pauseMs > until) return false;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return false;
}

/** The copy is there already, and its checkout is not coming any more: the way to it. */
async function noteHere(code) {
  const { status, body } = await fetchPatron(code);
  if (status === 200 && Array.isArray(body) && body.length === 1) noteLeft(body[0].patron_id);
}

/** null: it can be tried again. */
async function tryScan(code) {
  const { status, body } = await readCode(code);
  if (status !== 200 || !body) return [401, 403].includes(status) ? false : null;
  if (body.is_patron) await noteHere(code);
  if (body.is_item || body.is_patron) return true;
  const answer = await reportCard(code);
  const { kind, eventId } = readReport(answer.status, answer.body);
  if (kind === 'accepted') noteScan(eventId, false);
  return kind === 'again' ? null : kind === 'accepted';
}

/** Reports an item with its card, once; as what it is lost, or null. */
async function reportItem(card, item) {
  const answer = await reportCard(card, item);
  const { kind, eventId, isUnsure } = readReport(answer.status, answer.body);
  if (kind !== 'accepted') return eventId || isUnsure ? 'unsure' : 'item';
  noteScan(eventId, true);
  return null;
}
