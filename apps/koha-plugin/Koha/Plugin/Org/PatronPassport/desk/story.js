import { createDeparture } from './departure.js';
import { follow } from './follow.js';
import { remember, remembered } from './memory.js';
import { FOLLOWED_AT_MOST_MS } from './pace.js';
import { focusSearch, place } from './page.js';
import { buildPanel } from './panel.js';
import { createPause } from './pause.js';
import { sendCard, sendItem } from './send.js';
import { focusItem, show } from './show.js';
import { createWords } from './words.js';

/**
 * The panel's story, from the card to the checkout: the card is reported, or the event that this page knows of is
 * taken up again; then it is followed to its end.
 */
export function startStory({ card, messages, language, cameBack }) {
  const story = createStory(card, createWords(messages, language), language, cameBack);
  place(story.panel.host);
  const saved = remembered();
  if (saved && saved.eventId) resume(story, saved);
  else void startAnew(story);

  // an empty live region has to be there before what it is to announce; the item's box does not wait for it
  setTimeout(() => {
    story.isHeard = true;
    if (!story.isGone) show(story);
  }, 50);
}

/** What the files of the story share. */
function createStory(card, t, language, cameBack) {
  const story = {
    card,
    t,
    language,
    cameBack,
    view: { state: null, fault: null, isOver: false, withItem: false, followedMs: 0 },
    turn: 0,
    isSendingItem: false,
    isHeard: false,
    isGone: false,
    pause: createPause(),
    departure: createDeparture(),
  };
  story.panel = buildPanel(t, {
    item: (barcode) => void lendItem(story, barcode),
    typing: () => show(story),
    again: () => void startAnew(story),
    cancel: () => cancel(story),
  });
  return story;
}

async function startAnew(story) {
  const isMine = takeTurn(story);
  Object.assign(story.view, { state: null, fault: null, isOver: false, withItem: false, followedMs: 0 });
  remember({ eventId: null, withItem: false });
  show(story);
  focusItem(story);
  const eventId = await sendCard(story, isMine);
  if (eventId) begin(story, eventId, false);
}

async function lendItem(story, barcode) {
  const eventId = await sendItem(story, barcode);
  if (eventId) begin(story, eventId, true);
}

function begin(story, eventId, withItem) {
  const { view } = story;
  const startedAt = Date.now();
  Object.assign(view, { fault: null, isOver: false, withItem, followedMs: 0 });
  if (!view.state || withItem) view.state = queued(eventId);
  remember({ eventId, withItem, startedAt, isCancelled: false });
  show(story);
  void follow(story, eventId, startedAt, takeTurn(story));
}

function resume(story, saved) {
  const { view } = story;
  Object.assign(view, { withItem: Boolean(saved.withItem), state: queued(saved.eventId) });
  show(story);
  focusItem(story);
  const isOld = Date.now() - saved.startedAt > FOLLOWED_AT_MOST_MS;
  if (!isOld) {
    void follow(story, saved.eventId, saved.startedAt, takeTurn(story));
    return;
  }
  Object.assign(view, { fault: 'lost', isOver: true });
  show(story);
}

function cancel(story) {
  story.isGone = true;
  story.departure.stay();
  remember({ isCancelled: true });
  story.panel.host.remove();
  focusSearch();
}

/** Whoever takes the turn goes on alone: what went on before sees that it is not its turn any more. */
function takeTurn(story) {
  const mine = (story.turn += 1);
  return () => !story.isGone && story.turn === mine;
}

function queued(eventId) {
  return { event_id: eventId, state: 'queued', homes: [], reasons: [] };
}
