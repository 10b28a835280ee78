const KEY = 'passport-scans';
const STAFF_KEY = 'passport-scans-of';
const KEPT_MS = 60 * 60 * 1000;
const MOST = 12;

/**
 * The scans of this window that are under way, the newest last: [{id, at, withItem, lost, patronId}]. No card and no item: the browser keeps it.
 * `lost`: `card` or `item`, instead of an event; `patronId`: a checkout that was left for the next card before anybody could use it.
 */
export function notedScans() {
  try {
    const noted = JSON.parse(sessionStorage.getItem(KEY) || '[]');
    return noted.filter(({ id, at }) => typeof id === 'string' && Date.now() - at < KEPT_MS).slice(-MOST);
  } catch {
    return [];
  }
}

/** The list is that of whoever is logged in, by their number in Koha; whoever logs in next to this window begins another. */
export function startListOf(staffNumber) {
  try {
    if (staffNumber && sessionStorage.getItem(STAFF_KEY) === String(staffNumber)) return;
    keep([]);
    sessionStorage.setItem(STAFF_KEY, String(staffNumber || ''));
  } catch {
    // a browser that keeps nothing has no list of anybody
  }
}

/** Notes a scan, in the place of `replaced` where there is one: the event of its item goes on for the one of the card. */
export function noteScan(id, withItem, replaced) {
  const noted = notedScans();
  const before = noted.find((scan) => scan.id === id || scan.id === replaced);
  const others = noted.filter((scan) => scan !== before && scan.id !== id);
  keep([...others, { id, at: before ? before.at : Date.now(), withItem }]);
}

/** Notes that a `card` was not looked up, or an `item` not checked out; which, nobody knows any more. */
export function noteLost(lost) {
  const noted = notedScans();
  keep([...noted, { id: `lost ${Date.now()} ${noted.length}`, at: Date.now(), withItem: false, lost }]);
}

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
  keep(notedScans().filter(({ patronId }) => !patronId));
}

function keep(scans) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(scans));
  } catch {
    // a browser that keeps nothing: the scans go on without the list
  }
}
