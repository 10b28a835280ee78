/*
 * In the head of the desk's pages, before anything else of them is there: a scanner does not wait for a page. What is typed before the
 * desk's script can take it is held here, and given to it as it came; without that script, Koha's own box gets it. Where a page is left in the
 * middle of a code, the next one is told so: its end, or what follows it, is not for whoever that page shows.
 *
 * Only a time is kept in the browser, and no key.
 */
(function () {
  'use strict';
  const CUT_AT = 'passport-cut-at';
  /** So long after its last key a code may still be going on, and a page after the one that was left is the next. */
  const [SAME_CODE_MS, NEXT_PAGE_MS] = [5000, 10000];
  let held = '';
  let isHolding = true;
  let isMet = false;
  let isCut = false;
  /** When the last key of a code came that has no end yet. */
  let lastKeyAt = 0;

  function note(event) {
    const { key, ctrlKey, altKey, metaKey, isComposing } = event;
    const isEnd = key === 'Enter';
    if (isComposing || ctrlKey || altKey || metaKey || (key.length !== 1 && !isEnd)) return;
    if (isHolding && !(held === '' && isOther(key))) {
      held += isEnd ? '\n' : key;
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    lastKeyAt = isEnd ? 0 : Date.now();
  }

  /** What begins no code: Space, and Enter on a button of Koha's that has the focus. */
  function isOther(key) {
    const active = document.activeElement;
    const isButton = Boolean(active && active.closest('a, button, [type="submit"], [type="button"]'));
    return key === ' ' || (key === 'Enter' && isButton);
  }

  /** A person who clicks has chosen where to type. */
  function choose() {
    if (isHolding && held !== '') isCut = true;
    isHolding = false;
    held = '';
    lastKeyAt = 0;
  }

  function take() {
    const typed = held;
    isHolding = false;
    held = '';
    return { typed, isCut: wasCut() || isCut };
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
    if (held === '' && !(Date.now() - lastKeyAt < SAME_CODE_MS)) return;
    try {
      sessionStorage.setItem(CUT_AT, String(Date.now()));
    } catch {
      // a browser that keeps nothing
    }
  }

  function goWithout() {
    if (isMet) return;
    const [code] = take().typed.split('\n');
    const box = document.activeElement;
    if (code !== '' && box && box.matches('input, textarea')) box.value += code;
  }

  window.addEventListener('keydown', note, true);
  window.addEventListener('pointerdown', choose, true);
  window.addEventListener('submit', () => (lastKeyAt = 0), true);
  window.addEventListener('pagehide', leave);
  window.addEventListener('load', goWithout);
  window.addEventListener('passport-keys', ({ detail }) => {
    isMet = true;
    detail(take);
  });
})();
