const KEY = 'passport-scans';
const STAFF_KEY = 'passport-scans-of';
/** Whose item was held back: their number in Koha, or nothing. */
const HELD_KEY = 'passport-held';
/** Whose checkout is open and has got an item. */
const USED_KEY = 'passport-used';
const KEPT_MS = 60 * 60 * 1000;
const MOST = 12;

/**
 * The scans of this window that are under way, the newest last: [{id, at, withItem, lost, ends, patronId}]. No card and no item: the browser keeps it.
 * `lost`: what is said of it instead of an event, and `ends` the last digits of the card before it ({@link noteLost}). `patronId`: of a checkout
 * that was left for the next card before anybody could use it, or whom what is lost was for.
 */
export function notedScans() {
  try {
    const noted = JSON.parse(get(KEY) || '[]');
    return noted.filter(({ id, at }) => typeof id === 'string' && Date.now() - at < KEPT_MS).slice(-MOST);
  } catch {
    return [];
  }
}

/** The list is that of whoever is logged in, by their number in Koha; whoever logs in next to this window begins another. */
export function startListOf(staffNumber) {
  if (staffNumber && get(STAFF_KEY) === String(staffNumber)) return;
  keep([]);
  drop(HELD_KEY);
  drop(USED_KEY);
  set(STAFF_KEY, String(staffNumber || ''));
}

/** Notes a scan, in the place of `replaced` where there is one: the event of its item goes on for the one of the card. */
export function noteScan(id, withItem, replaced) {
  const noted = notedScans();
  const before = noted.find((scan) => scan.id === id || scan.id === replaced);
  const others = noted.filter((scan) => scan !== before && scan.id !== id);
  keep([...others, { id, at: before ? before.at : Date.now(), withItem }]);
}

/**
 * Notes what was lost: a `card` that was not looked up, an `item` that was not checked out, one that may have been (`unsure`), or a `code` of which nobody knows
 * what it is. `card`: the one before it, of which the last digits are kept. `patronId`: whom it was for, where their checkout was open.
 * After all but a card, the next page takes no item ({@link itemIsHeld}).
 */
export function noteLost(lost, { card, patronId } = {}) {
  const noted = notedScans();
  const id = `lost ${Date.now()} ${noted.length}`;
  keep([...noted, { id, at: Date.now(), withItem: false, lost, ends: endOf(card), patronId }]);
  if (lost === 'card') return;
  const [held, now] = [get(HELD_KEY), String(patronId || '')];
  set(HELD_KEY, held === null || held === now ? now : '');
}

/** Enough for whoever has the card in their hand, and nobody else. What is no number is no card: it may be a name. */
function endOf(card) {
  return card && card.length > 6 && /^[\w .-]*\d[\w .-]*$/.test(card) ? card.slice(-4) : '';
}

/**
 * Whether an item was held back that is not of this page's patron: what is scanned next may be that item, scanned again. The page of its own
 * patron is where it belongs, and ends it.
 */
export function itemIsHeld(patronId) {
  const held = get(HELD_KEY);
  if (held === null) return false;
  if (held === '' || held !== String(patronId)) return true;
  releaseItem();
  return false;
}

/** A card was scanned since, or somebody has said whom the next item is for. */
export function releaseItem() {
  drop(HELD_KEY);
}

/** The checkout of this patron is open: that of another one is not any more. */
export function noteOpened(patronId) {
  if (isUnused(patronId)) drop(USED_KEY);
}

/** Notes that the checkout of this patron got an item. */
export const noteUsed = (patronId) => set(USED_KEY, String(patronId));

/** Whether the checkout of this patron, which is open, has got no item since. */
export const isUnused = (patronId) => get(USED_KEY) !== String(patronId);

/** Notes whose checkout was left; it is forgotten once it is opened, or the session has ended. */
export function noteLeft(patronId) {
  const id = `left ${patronId}`;
  keep([...notedScans().filter((scan) => scan.id !== id), { id, at: Date.now(), withItem: false, patronId }]);
}

/** Forgets a scan whose result somebody has seen. */
export function forgetScan(id) {
  const noted = notedScans();
  const others = noted.filter((scan) => scan.id !== id);
  if (others.length < noted.length) keep(others);
}

/** Forgets whose checkouts were left: the session has ended. */
export function forgetLeft() {
  keep(notedScans().filter(({ lost, patronId }) => lost || !patronId));
}

const keep = (scans) => set(KEY, JSON.stringify(scans));

/** A browser that keeps nothing: the scans go on without the list. */
function set(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // as above
  }
}

function get(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function drop(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // as above
  }
}
