/** Puts the panel where the eyes are: above the other scans and Koha's empty list, else at the top. */
export function place(host) {
  const below = document.getElementById('passport-scans') || document.getElementById('searchresults');
  if (below && below.parentNode) {
    below.parentNode.insertBefore(host, below);
    return;
  }
  (document.querySelector('main') || document.body).prepend(host);
}

/**
 * Resolves once Koha has put the focus into its own search, which it does when the page is ready (staff-global.js): later, it
 * would take the focus from the item's box. jQuery runs what waits for the page in a task of its own after that event.
 */
export function focusIsSet() {
  return new Promise((resolve) => {
    const soon = () => setTimeout(resolve, 0);
    if (document.readyState === 'complete') soon();
    for (const [target, event] of [
      [document, 'DOMContentLoaded'],
      [window, 'load'],
    ]) {
      target.addEventListener(event, soon, { once: true });
    }
  });
}

/** Whether somebody may have gone to another box, and the one that was given the focus here: Koha's scripts give it to boxes of their own. */
let hasChosen = false;
let given = null;
/** When somebody last went to where the focus is, in the panel or elsewhere. */
let movedAt = 0;

/** Whether somebody has gone there this moment, and is about to press it. */
export const hasJustMoved = () => Date.now() - movedAt < 1000;

/** True when somebody is in the middle of something that the focus must not be taken from. */
export function isBusyElsewhere(host) {
  const active = document.activeElement;
  if (!active || active === document.body || active === host) return false;
  if (active.closest('[role="dialog"], .modal')) return true;
  if (!/^(input|textarea|select)$/i.test(active.tagName)) return false;
  return active.value !== active.defaultValue || (hasChosen && active !== given && isForText(active));
}

const isForText = ({ type }) => !/^(?:button|checkbox|file|image|radio|reset|submit)$/.test(type);

/**
 * Once the panel is closed, the focus goes to Koha's checkout box, as by its key Alt+U, and what is in the box is replaced. On the page of an unknown card the box is under another tab of the header (staff-global.js,
 * patron-search-header.inc; the tab is `circ_search` or, in newer releases, `circ_search_panel`).
 */
export function focusCheckout() {
  const box = document.getElementById('findborrower');
  given = box || searchBox();
  if (box && box.offsetParent === null) openTab(box.closest('.tab-pane'));
  if (given) grab(given);
}

/** To search by name: the page's own search, which has the card in it. */
export function focusSearch() {
  const box = searchBox();
  if (box) grab(box);
}

const searchBox = () =>
  document.getElementById('search_patron_filter') || document.getElementById('searchmember');

function grab(box) {
  box.focus({ preventScroll: true });
  box.select();
}

function openTab(pane) {
  if (!pane) return;
  const { jQuery } = window;
  if (jQuery && jQuery.fn && jQuery.fn.selectTabByID) {
    jQuery('#header_search').selectTabByID(`#${pane.id}`);
    return;
  }
  const tab = document.querySelector(`#header_search a[href="#${pane.id}"]`);
  if (tab) tab.click();
}

/** So long after the last key no more of a code comes: a scanner types faster, also into a slow browser. */
const QUIET_MS = 1000;

/**
 * The way to another page. What is scanned while that one comes would be read half here and half there, and some keys nowhere: the first key stops
 * it, and it goes on once no more come. `note(address)`: Koha's own form opens it. `hold()` while a code is read, then `goOn()`: a code that has begun meanwhile
 * comes first.
 */
export function createPassage() {
  let address = null;
  let isStopped = false;
  let isHeld = false;
  let hasBegun = false;
  let timer;
  const goLater = () => {
    clearTimeout(timer);
    timer = setTimeout(passage.goOn, QUIET_MS);
  };
  const passage = {
    go(to, isReplaced) {
      passage.note(to);
      if (isReplaced) location.replace(to);
      else location.assign(to);
    },
    note(to) {
      clearTimeout(timer);
      isStopped = false;
      address = to;
    },
    hold() {
      clearTimeout(timer);
      isHeld = true;
      hasBegun = false;
    },
    goOn() {
      isHeld = false;
      if (!isStopped) return;
      if (hasBegun) goLater();
      else passage.go(address);
      hasBegun = false;
    },
    stay: () => passage.note(null),
  };
  window.addEventListener(
    'keydown',
    ({ key, ctrlKey, altKey, metaKey }) => {
      if (address === null || key.length !== 1 || ctrlKey || altKey || metaKey) return;
      // once: a second time would stop the questions that are asked meanwhile
      if (!isStopped) window.stop();
      isStopped = true;
      hasBegun = isHeld;
      if (!isHeld) goLater();
    },
    true,
  );
  window.addEventListener('pageshow', passage.stay);
  return passage;
}

/** The way to another page: `leaveSoon(address, ms)`, and `stay()` when something comes in between; nor does it replace a page that is opening. */
export function createDeparture({ isOpening }) {
  const passage = createPassage();
  let leaving = null;
  return {
    leaveSoon(address, ms) {
      if (!leaving) leaving = setTimeout(() => isOpening() || passage.go(address, true), ms);
    },
    stay() {
      clearTimeout(leaving);
      leaving = null;
      passage.stay();
    },
  };
}

const EARLY_MS = 1000;
const began = Date.now();

let typedAt = null;

/**
 * Notes when a code begins: a slow browser may have read it long before it is sent. What is in `boxes` by now began before. And whether somebody goes to a
 * box of their own.
 */
export function watchTyping(boxes) {
  if (boxes.some((box) => box && box.value !== box.defaultValue)) typedAt = began;
  window.addEventListener(
    'pointerdown',
    () => {
      hasChosen = true;
      movedAt = Date.now();
    },
    true,
  );
  window.addEventListener(
    'keydown',
    (event) => {
      const { key } = event;
      if (key === 'Tab' || (event.altKey && key !== 'Alt')) {
        movedAt = Date.now();
        // the browser has gone there by then, unless it was a key of the panel's
        setTimeout(() => (hasChosen = hasChosen || !event.defaultPrevented), 0);
      }
      typedAt = typedAt || Date.now();
      // once whoever takes the code has asked
      if (key === 'Enter') setTimeout(() => (typedAt = null), 0);
    },
    true,
  );
}

/** Whether what is sent was begun as this page came: it was meant before it, and its first keys may have been lost between two pages. */
export function isEarly() {
  return (typedAt || Date.now()) - began < EARLY_MS;
}

/**
 * What was typed before this script was there (first-keys.js) goes on being held until it is given to the box that it was meant for, as if it was typed
 * there: once, by `give(box, lose, end)`. `lose()`: a code was cut off as the page before this one was left; `lose(code)`: no box can take it; `end()`: nothing
 * but an Enter has come, and it is not the end of what was cut off. `whenLate(run)`: once no key may be held any longer, unless they were given.
 */
export function heldKeys() {
  let held = null;
  let isGiven = false;
  window.dispatchEvent(new CustomEvent('passport-keys', { detail: (keys) => (held = keys) }));
  return {
    whenLate(run) {
      if (held !== null) setTimeout(() => isGiven || run(), Math.max(0, held.leftMs));
    },
    give(box, lose, end = () => {}) {
      if (held === null || isGiven) return;
      isGiven = true;
      const { isCut, codes, rest, isEnd } = readTyped(held.take());
      if (isCut) lose();
      if (!canTake(box)) {
        for (const code of [...codes, rest]) if (code !== '') lose(code);
        return;
      }
      // who has begun a code has not gone to another box since
      if (rest !== '' || ((codes.length > 0 || isEnd) && !isBusyElsewhere(null))) goToBox(box);
      for (const code of codes) enter(box, code);
      if (isEnd && !isCut) end();
      beginIn(box, rest);
    },
    /**
     * Holds no key any more, where nobody knows yet whom the codes are for: they wait for that, and what is begun goes on in `box`. Where one of them
     * `isNext`, the next card, `box` gets that at once, and the others are lost.
     */
    letGo(box, isNext, lose) {
      const { isCut, codes, rest, isEnd } = readTyped(held.take());
      const isLost = rest !== '' && !canTake(box);
      if (canTake(box) && codes.some(isNext)) {
        isGiven = true;
        goToBox(box);
        if (isCut) lose();
        for (const code of codes) {
          if (isNext(code)) enter(box, code);
          else lose(code);
        }
        typedAt = null;
      } else held.keep(isEnd ? '\n' : codes.map((code) => `${code}\n`).join(''), isCut || isLost);
      if (rest === '' || isLost) return;
      goToBox(box);
      beginIn(box, rest);
    },
    /** Has the next page take no item until a card is scanned: one may have been lost. */
    tellNext: () => held.keep('', true),
  };
}

const canTake = (box) => Boolean(box) && !box.disabled;

/** What was typed: the codes, what is begun, and whether it was nothing but the end of a code. */
function readTyped({ typed, isCut }) {
  const lines = typed.split('\n');
  const rest = lines.pop();
  // an Enter after the one of a code would send the box once more, in the place of that code
  const codes = lines.filter((code) => code !== '');
  return { isCut, codes, rest, isEnd: lines.length > 0 && codes.length === 0 };
}

function goToBox(box) {
  if (box.offsetParent === null) openTab(box.closest('.tab-pane'));
  box.focus({ preventScroll: true });
}

function beginIn(box, rest) {
  typedAt = rest === '' ? null : began;
  if (rest !== '') fill(box, rest);
}

function enter(box, code) {
  typedAt = began;
  fill(box, code);
  box.form.requestSubmit();
}

function fill(box, text) {
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

/** pause(ms): a page that nobody sees waits longer, and continues when it is looked at again. */
export function createPause() {
  let resume = () => {};
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) resume();
  });
  return function pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, document.hidden ? ms * 3 : ms);
      resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
}

/** What this page's history entry knows of the event: {eventId, withItem, startedAt, events,
 * unanswered, isUnsure, isUnclear, isCard, isCancelled}, or null. No item: it is kept by the browser. */
export function remembered() {
  const state = history.state && history.state.passport;
  return state && typeof state === 'object' ? state : null;
}

/** Adds to it; what others keep in the entry stays. */
export function remember(facts) {
  history.replaceState({ ...history.state, passport: { ...remembered(), ...facts } }, '');
}
