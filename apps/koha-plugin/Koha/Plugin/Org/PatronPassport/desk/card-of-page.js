/** The card that Koha looked for in vain, or null where this is another page. */
export function cardOfPage(url) {
  if (!url.pathname.endsWith('/members/member.pl')) return null;
  const query = new URLSearchParams(url.search);
  const card = (query.get('searchmember') || '').trim();
  return query.get('circsearch') === '1' && card !== '' ? card : null;
}

/** Names are typed into the same box; only what fits one of the library's patterns is a card. */
export function looksLikeCard(card, patterns) {
  return patterns.some((pattern) => {
    try {
      return new RegExp(pattern).test(card);
    } catch {
      return false;
    }
  });
}
