import { focusCheckout, isBusyElsewhere } from './page.js';

/** A scanner types a code within a fraction of this. */
const QUIET_MS = 1500;

/**
 * Makes Koha's checkout box ready for the next card, once for each result: `ready(isTyping)`. Where somebody is just typing
 * into the panel it waits until nothing is typed any more, or half a barcode would be taken for a card.
 */
export function createNextScan(host) {
  let timer = null;
  const go = () => {
    timer = null;
    if (host.isConnected && !isBusyElsewhere(host)) focusCheckout();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(go, QUIET_MS);
  };
  document.addEventListener('keydown', () => timer && wait(), true);
  return {
    ready(isTyping) {
      clearTimeout(timer);
      if (isTyping) wait();
      else go();
    },
    stop: () => clearTimeout(timer),
  };
}
