/** Puts the panel where the eyes are: above Koha's empty list, else at the top. */
export function place(host) {
  const results = document.getElementById('searchresults');
  if (results && results.parentNode) {
    results.parentNode.insertBefore(host, results);
    return;
  }
  (document.querySelector('main') || document.body).prepend(host);
}

/** True when somebody is in the middle of something that the focus must not be taken from. */
export function isBusyElsewhere(host) {
  const active = document.activeElement;
  if (!active || active === document.body || active === host) return false;
  if (active.closest('[role="dialog"], .modal')) return true;
  return /^(input|textarea|select)$/i.test(active.tagName) && active.value !== active.defaultValue;
}

/** Gives the focus back to Koha, when the panel is gone. */
export function focusSearch() {
  const search = document.getElementById('search_patron_filter');
  if (search) search.focus();
}
