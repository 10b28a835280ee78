import { cancelEvents } from './cancel.js';
import { chooseNumber } from './decision.js';
import { setText } from './element.js';
import { follow } from './follow.js';
import { noteScan } from './noted-scans.js';
import {
  createDeparture,
  createPause,
  focusCheckout,
  focusSearch,
  isBusyElsewhere,
  place,
  remember,
  remembered,
} from './page.js';
import { buildPanel, openRegister } from './panel.js';
import { registrations } from './register.js';
import { sendAnswer, sendCard, sendDecision, sendItem } from './send.js';
import { answerChoice, loseScanned, takeCode } from './scan-box.js';
import { canCancel } from './scan-state.js';
import { focusBox, show } from './show.js';
import { createWords, languageOf } from './words.js';

/**
 * The panel's workflow, from the card to the checkout: the card is reported, or the event that this page knows of is
 * resumed; then it is followed to its end. Where another site has opened this page, the card is not reported before somebody at the desk says so.
 */
export function startWorkflow(page) {
  const workflow = createWorkflow(page);
  place(workflow.panel.host);
  const saved = remembered();
  for (const each of ['events', 'unanswered']) {
    for (const id of (saved && saved[each]) || []) workflow[each].add(id);
  }
  // of which item is not remembered: no later report settles it
  if (saved && saved.isUnsure) workflow.unsure.add(undefined);
  workflow.isCard = Boolean(saved && saved.isCard);
  // of which code is not remembered: the card again makes it clear, or the next one
  if (saved && saved.isUnclear) workflow.unclear.set('', 'lost');
  if (page.nextScan.isItemHeld()) setText(workflow.panel.itemFault, workflow.t('code.held'));
  if (saved && saved.eventId) resume(workflow, saved);
  else if (page.cards.isFromElsewhere) wait(workflow);
  else void startAnew(workflow);

  // an empty live region has to be there before what it is to announce; the item's box does not wait for it
  setTimeout(() => {
    workflow.isHeard = true;
    if (!workflow.isGone) show(workflow);
  }, 50);
  return {
    isOwn: (eventId) => workflow.events.has(eventId),
    box: workflow.panel.input,
    /** What was lost may have been the next card. */
    lose() {
      workflow.unclear.set('', 'lost');
      remember({ isUnclear: true });
      setText(workflow.panel.itemFault, workflow.t('scans.lost_code'));
    },
  };
}

const NOTHING_KNOWN = {
  state: null,
  fault: null,
  isOver: false,
  withItem: false,
  followedMs: 0,
  cancel: null,
  /** The event whose question was answered on this page. */
  answered: null,
  /** The event and question that staff have answered on this page. */
  decided: null,
};

/** What the files of the workflow share. */
function createWorkflow({ card, cards, messages, language, cameBack, nextScan }) {
  const t = createWords(messages, language);
  const workflow = {
    card,
    /** What a card can look like here: {patterns, anyCard}. */
    cards,
    t,
    language,
    cameBack,
    view: { ...NOTHING_KNOWN },
    /** Ids of the events of this page, those of them that nobody has said to be accepted, and the reports that have none yet. */
    events: new Set(),
    unanswered: new Set(),
    sending: new Set(),
    /** The items ('': none) of reports that may have been accepted under an id that was lost. */
    unsure: new Set(),
    run: 0,
    settledRun: null,
    /** What was scanned into the box and is not done with yet, one code after the other: {lost}, as what it is lost where the page is left. */
    readings: new Set(),
    lastRead: Promise.resolve(),
    /** Items that were reported in vain, each with what it is lost as: `item`, or `unsure` where it may have been taken. */
    unsent: new Map(),
    /** Somebody has said that it is a card, although an item here has it: every report of this page says so. */
    isCard: false,
    /** The code that can be an item or a card. */
    asked: null,
    /** Codes that may be the next card, and came to nothing. */
    unclear: new Map(),
    isAnswering: false,
    isDeciding: false,
    isHeard: false,
    isGone: false,
    pause: createPause(),
    departure: createDeparture(nextScan),
    nextScan,
  };
  workflow.panel = buildPanel(t, languageOf(messages, language), registrations(document, card), {
    code: (code) => takeCode(workflow, code, (barcode) => checkOutItem(workflow, barcode)),
    choose: (said) => answerChoice(workflow, said),
    typing: () => show(workflow),
    answer: (said) => void sendAnswer(workflow, said),
    decide: (option) => void sendDecision(workflow, option),
    again: () => void startAnew(workflow),
    card: () => {
      workflow.isCard = true;
      void startAnew(workflow);
    },
    reload: () => location.reload(),
    name: focusSearch,
    next: () => workflow.panel.input.focus(),
    cancel: () => cancelOrClose(workflow),
  });
  window.addEventListener('pagehide', () => loseScanned(workflow));
  // On the whole page: what had the focus in the panel may be disabled or hidden by now.
  document.addEventListener('keydown', (event) => {
    const isOurs = !workflow.isGone && !isBusyElsewhere(workflow.panel.host);
    if (event.key === 'Escape' && isOurs) cancelOrClose(workflow);
    // no key of Koha's own (staff-global.js); on a Mac it types another character
    if (event.altKey && event.code === 'KeyN' && isOurs) {
      event.preventDefault();
      openRegister(workflow.panel);
    }
    if (isOurs && chooseNumber(workflow.panel, event)) event.preventDefault();
  });
  return workflow;
}

function wait(workflow) {
  Object.assign(workflow.view, { fault: 'elsewhere', isOver: true });
  show(workflow);
  focusBox(workflow);
}

async function startAnew(workflow) {
  const isMine = startRun(workflow);
  Object.assign(workflow.view, { ...NOTHING_KNOWN });
  remember({ eventId: null, withItem: false, isCard: workflow.isCard });
  show(workflow);
  focusBox(workflow);
  const eventId = await sendCard(workflow, isMine);
  if (eventId) begin(workflow, eventId, false);
}

async function checkOutItem(workflow, barcode) {
  const eventId = await sendItem(workflow, barcode);
  if (eventId) begin(workflow, eventId, true);
}

function begin(workflow, eventId, withItem) {
  const { view } = workflow;
  const startedAt = Date.now();
  noteScan(eventId, withItem, view.state && view.state.event_id);
  Object.assign(view, { fault: null, isOver: false, withItem, followedMs: 0 });
  if (!view.state || withItem) view.state = queued(eventId);
  remember({ eventId, withItem, startedAt, isCancelled: false });
  const isMine = startRun(workflow);
  show(workflow);
  void follow(workflow, eventId, startedAt, isMine);
}

function resume(workflow, saved) {
  const { view } = workflow;
  Object.assign(view, { withItem: Boolean(saved.withItem), state: queued(saved.eventId) });
  workflow.events.add(saved.eventId);
  show(workflow);
  focusBox(workflow);
  void follow(workflow, saved.eventId, saved.startedAt, startRun(workflow));
}

function cancelOrClose(workflow) {
  if (canCancel(workflow.view)) void cancelEvents(workflow, startRun(workflow));
  else close(workflow);
}

function close(workflow) {
  workflow.isGone = true;
  workflow.departure.stay();
  remember({ isCancelled: true });
  workflow.panel.host.remove();
  focusCheckout();
}

/** Starts a run and ends the one before: the returned function says whether this run is still the current one. */
function startRun(workflow) {
  const mine = (workflow.run += 1);
  return () => !workflow.isGone && workflow.run === mine;
}

function queued(eventId) {
  return { event_id: eventId, state: 'queued', homes: [], reasons: [] };
}
