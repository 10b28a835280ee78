import { readCode, reportCard } from './koha-api.js';
import { looksLikeCard } from './koha-search.js';
import { noteScan } from './noted-scans.js';
import { readReport } from './read-answer.js';

const CHECKOUT_PAGE = '/cgi-bin/koha/circ/circulation.pl';

/**
 * The way to the page of the next card, as by Koha's own checkout box. Another one that is scanned before that page is there takes its
 * place, as in every browser; what was scanned first is reported all the same, and noted.
 */
export function createNextScan(patterns) {
  let opening = null;
  let before = Promise.resolve();
  window.addEventListener('pageshow', () => {
    opening = null;
  });

  function take(code) {
    const replaced = opening;
    opening = code;
    if (replaced === null || replaced === code) return;
    // or that page would come while the first card is being reported, and this one be lost
    window.stop();
    before = before.then(() => keepScan(replaced, patterns)).catch(() => {});
  }

  return {
    isOpening: () => opening !== null,
    /** Opens the page of this code, once what was scanned before it is noted. */
    async open(code) {
      take(code);
      await before;
      if (opening === code) location.assign(`${CHECKOUT_PAGE}?findborrower=${encodeURIComponent(code)}`);
    },
    /** What is scanned into Koha's own box after it was sent is a code of its own, and not the rest of the first. */
    guard(box) {
      box.form.addEventListener('submit', (event) => {
        const code = box.value.trim();
        setTimeout(() => box.select(), 0);
        if (opening === null || opening === code) {
          opening = code;
          return;
        }
        event.preventDefault();
        void this.open(code);
      });
    },
  };
}

/** A card whose page is not coming any more. Who is a patron here, and what is an item, was never searched for elsewhere. */
async function keepScan(code, patterns) {
  if (!looksLikeCard(code, patterns)) return;
  const { status, body } = await readCode(code);
  if (status !== 200 || body.is_item || body.is_patron) return;
  const answer = await reportCard(code);
  const { eventId } = readReport(answer.status, answer.body);
  if (eventId) noteScan(eventId, false);
}
