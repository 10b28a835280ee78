import { fetchPatron } from './koha-api.js';

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
    const read = readPattern(pattern, 'u') || readPattern(pattern, '');
    return read !== null && read.test(card);
  });
}

/**
 * The whole card, of a code whose first keys were lost between two pages: where they can only be the beginning that all cards of one
 * pattern have in common, and no other pattern has one that ends so. Else the code as it is.
 */
export function completeCard(code, patterns) {
  if (looksLikeCard(code, patterns)) return code;
  const cards = patterns.flatMap((pattern) => {
    const [, head] = /^\^((?:\w(?![?*+{|]))+)/.exec(pattern) || ['', ''];
    return Array.from(head, (_, place) => `${head.slice(0, place + 1)}${code}`).filter((card) =>
      looksLikeCard(card, [pattern]),
    );
  });
  const [card, another] = new Set(cards);
  return card !== undefined && another === undefined ? card : code;
}

/** The service's patterns are read with `u`; one that was typed in here may be none of those. */
function readPattern(pattern, flags) {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return null;
  }
}

/**
 * Whether Koha's own search came back: 'pending', 'none' or 'some'. DataTables shows an empty row before the first
 * search too, so its last answer counts where it can be read.
 */
export function hitsIn(document, jQuery) {
  const table = document.getElementById('memberresultst');
  if (!table) return 'pending';
  if (jQuery && jQuery.fn && jQuery.fn.dataTable && jQuery.fn.dataTable.isDataTable(table)) {
    const answer = jQuery(table).DataTable().ajax.json();
    if (!answer) return 'pending';
    const count = answer.recordsFiltered !== undefined ? answer.recordsFiltered : (answer.data || []).length;
    return count > 0 ? 'some' : 'none';
  }
  if (table.offsetParent === null) return 'pending';
  if (table.querySelector('td.dataTables_empty, td.dt-empty')) return 'none';
  return table.querySelector('tbody tr') ? 'some' : 'pending';
}

/**
 * Whether Koha's search is for this card. With "save the state of the search" switched on (Table settings, since 24.11),
 * Koha puts the last search of this browser into the form instead (`_dt_save_restore_state` in its datatables.js), and
 * the table shows somebody else.
 */
export function isSearchFor(card, document) {
  const box = document.getElementById('search_patron_filter');
  return !box || box.value.trim() === card;
}

/**
 * Koha's own search decides: with hits on the page, staff choose among them and the panel stays away. Where it searched
 * for something else, or does not come back, Koha is queried for the card.
 */
export async function isUnknownHere(card) {
  for (let waitedMs = 0; waitedMs < 4000; waitedMs += 100) {
    const hits = hitsIn(document, window.jQuery);
    if (hits !== 'pending') {
      if (!isSearchFor(card, document)) break;
      return hits === 'none';
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const answer = await fetchPatron(card);
  return answer.status === 200 && Array.isArray(answer.body) && answer.body.length === 0;
}
