/*
 * In the head of the desk's pages, before anything else of them is there: a scanner does not wait for a page. What is typed before the
 * desk's script can take it is held here, and given to it as it came; without that script, or where it does not come soon, Koha's own box gets the first code. Where
 * a page is left in the middle of a code, the next one is told so: its end, or what follows it, is not for whoever that page shows.
 *
 * Only a time is kept in the browser, and no key.
 */
(function () {
  'use strict';
  const CUT_AT = 'passport-cut-at';
  /** So long after its last key a code may still be going on, and a page after the one that was left is the next; no longer is a key held for a script. */
  const [SAME_CODE_MS, NEXT_PAGE_MS, HELD_MS] = [5000, 10000, 3000];
  /** Keys of a person who writes: a scanner sends none of them within a code. */
  const WRITING = /^(?:Arrow\w+|Delete|Home|End|Tab|Dead|Process)$/;
  /** Whether the page got keys before this, of which nobody knows. */
  const isLate = Boolean(performance.eventCounts && performance.eventCounts.get('keydown'));
  const beganAt = Date.now();
  let held = '';
  let isHolding = true;
  let isMet = false;
  let isCut = false;
  /** When the last key of a code came that has no end yet. */
  let lastKeyAt = 0;

  function note(event) {
    const { key, ctrlKey, altKey, metaKey, isComposing } = event;
    // a browser that fills in a form sends an event without a key
    if (key === undefined) return;
    const isEnd = key === 'Enter';
    // on Windows, a character of AltGr comes with Ctrl and Alt
    const isShortcut = (ctrlKey || altKey || metaKey) && !event.getModifierState('AltGraph');
    if (isComposing || isShortcut || (key.length !== 1 && !isEnd)) {
      if (isHolding) correct(event, isShortcut);
      return;
    }
    if (isHolding && !(held === '' && isOther(key))) {
      held += isEnd ? '\n' : key;
      swallow(event);
    }
    lastKeyAt = isEnd ? 0 : Date.now();
  }

  function swallow(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** What begins no code: Space, and Enter on a button of Koha's that has the focus. */
  function isOther(key) {
    const active = document.activeElement;
    const isButton = Boolean(active && active.closest('a, button, [type="submit"], [type="button"]'));
    return key === ' ' || (key === 'Enter' && isButton);
  }

  /** No key of a code. What was begun before it is of the same hand. */
  function correct(event, isShortcut) {
    const { key, code, altKey, isComposing } = event;
    const isBegun = held !== '' && !held.endsWith('\n');
    if (isBegun && key === 'Backspace' && !isShortcut) {
      held = held.slice(0, -1);
      swallow(event);
      if (held === '') lastKeyAt = 0;
      return;
    }
    const isOfLetter = isShortcut && key.length === 1;
    const isEdit = WRITING.test(key) || (isOfLetter && !altKey);
    // Koha's Alt+R opens another box; some scanners send each character as Alt and digits of the keypad
    const isElsewhere = key === 'Tab' || isComposing || (isOfLetter && altKey && !code.startsWith('Numpad'));
    if (isElsewhere || (isBegun && isEdit)) choose();
  }

  /**
   * A person who clicks, corrects, pastes or uses a shortcut to a box has chosen where to type. What they have begun goes on where the focus is, unless a code before it is
   * still held; that one goes where it was meant to.
   */
  function choose() {
    const end = held.lastIndexOf('\n') + 1;
    const begun = held.slice(end);
    if (begun !== '' && !(end === 0 && type(begun))) isCut = true;
    held = held.slice(0, end);
    isHolding = false;
  }

  /** Whether there is a box for text that has the focus, and now has this; `isWhole`: the next code takes its place. */
  function type(text, isWhole) {
    const box = document.activeElement;
    // no other box has a selection
    if (!box || !box.matches('input, textarea') || box.selectionStart === null || box.readOnly) return false;
    box.value += text;
    if (isWhole) box.select();
    return true;
  }

  /** Ends the holding. */
  function take() {
    const taken = { typed: held, isCut: wasCut() || isCut || (isLate && held.startsWith('\n')) };
    isHolding = false;
    keep('', false);
    return taken;
  }

  /** What nobody has done with yet is taken again, or else the next page is told. */
  function keep(typed, isCutOff) {
    held = typed;
    isCut = isCutOff;
  }

  function wasCut() {
    try {
      const cutAt = Number(sessionStorage.getItem(CUT_AT) || 0);
      sessionStorage.removeItem(CUT_AT);
      return Date.now() - cutAt < NEXT_PAGE_MS;
    } catch {
      return false;
    }
  }

  function leave() {
    if (held !== '' || isCut || Date.now() - lastKeyAt < SAME_CODE_MS) tell();
    keep('', false);
  }

  function tell() {
    try {
      sessionStorage.setItem(CUT_AT, String(Date.now()));
    } catch {
      // a browser that keeps nothing
    }
  }

  /** One box gets one code, and nobody sends it: whoever is at the desk sees it there. The next page says what is lost. */
  function goWithout() {
    if (isMet) return;
    const [code, ...more] = held.split('\n');
    const isLost = code !== '' && !(isHolding && type(code, more.length > 0));
    if (isLost || isCut || more.some((each) => each !== '')) tell();
    isHolding = false;
    keep('', false);
  }

  window.addEventListener('keydown', note, true);
  window.addEventListener(
    'pointerdown',
    () => {
      choose();
      lastKeyAt = 0;
    },
    true,
  );
  window.addEventListener('paste', choose, true);
  window.addEventListener('submit', () => (lastKeyAt = 0), true);
  window.addEventListener('pagehide', leave);
  window.addEventListener('load', goWithout);
  setTimeout(goWithout, HELD_MS);
  window.addEventListener('passport-keys', ({ detail }) => {
    isMet = true;
    detail({ take, keep, leftMs: HELD_MS - (Date.now() - beganAt) });
  });
})();
