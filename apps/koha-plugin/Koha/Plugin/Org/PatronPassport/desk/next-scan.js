import { fetchPatron, identify, readCode, reportCard } from './koha-api.js';
import { completeCard, looksLikeCard } from './koha-search.js';
import { noteLeft, noteLost, noteScan } from './noted-scans.js';
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
 * cannot be, that is noted.
 */
export function createNextScan(patterns) {
  const passage = createPassage();
  let opening = null;
  let unreported = null;
  let before = Promise.resolve();
  let keeping = 0;
  // whoever leaves the page meanwhile ends it
  window.addEventListener('pagehide', () => {
    for (; keeping > 0; keeping -= 1) noteLost('card');
  });
  window.addEventListener('pageshow', () => {
    opening = null;
  });

  const cardBefore = () => (opening === null ? unreported : opening);

  function take(code) {
    const replaced = cardBefore();
    opening = code;
    unreported = null;
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
    if (!isKept) noteLost('card');
  }

  /** The first keys of this code may have been lost. What came meanwhile has the page. */
  async function openWhole(code) {
    const whole = wholeCode(code, await identify(code), patterns);
    if (whole === null || opening !== null) noteLost('card');
    else void nextScan.open(whole);
  }

  const nextScan = {
    isOpening: () => opening !== null,
    /** The card of this page, while nobody has looked it up, or null: the next one comes after it as after one whose page is not there yet. */
    after: (card) => (unreported = card),
    hold: passage.hold,
    goOn: passage.goOn,
    /** Opens the page of this code, once what was scanned before it is noted. */
    async open(code) {
      take(code);
      await before;
      if (opening === code) passage.go(addressOf(code));
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
        if (replaced === null || (replaced === code && keeping === 0)) {
          opening = code;
          passage.note(addressOf(code));
          return;
        }
        event.preventDefault();
        void nextScan.open(code);
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
