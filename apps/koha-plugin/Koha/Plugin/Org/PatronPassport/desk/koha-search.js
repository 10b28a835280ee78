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
 * The whole card, of a code whose first keys may have been lost between two pages: the code as it is, where no longer card ends so; the one card that does,
 * where all of one length begin alike and a key of that beginning is there; else null: nobody knows.
 */
export function completeCard(code, patterns) {
  const ends = patterns
    .flatMap(withoutGroups)
    .map(patternParts)
    .filter((parts) => code !== '' && isEndOf(code, parts));
  if (ends.length === 0) return code;
  if (looksLikeCard(code, patterns)) return null;
  const cards = ends.map((parts) => completedBy(code, parts));
  return cards.every((card) => card === cards[0]) ? cards[0] : null;
}

/** A pattern without its plain groups, such as those of a form; one for each form where it has several. */
function withoutGroups(pattern) {
  const plain = pattern.replace(
    /\((?!\?)([^()|]*)\)(?![?*+{])|\(\?(?:<\w+>|:)([^()|]*)\)(?![?*+{])/g,
    '$1$2',
  );
  const [, forms] = /^\^\((?:\?:)?([^()]*)\)\$$/.exec(plain) || [];
  return forms === undefined ? [plain] : forms.split('|').map((form) => `^${form}$`);
}

/** The parts of a pattern, [{atom, times}], where it is nothing but one after the other; else none. */
function patternParts(pattern) {
  if (!/^\^(?:(?:\\[dws.-]|\[[^\]\\]+\]|[\w -])(?:\{\d+(?:,\d*)?\}|[+*?])?)+\$$/.test(pattern)) return [];
  const found = pattern.slice(1, -1).matchAll(/(\\.|\[[^\]]+\]|[\w -])(\{[^}]+\}|[+*?])?/g);
  return Array.from(found, ([, atom, times = '']) => ({ atom, times }));
}

/** Whether there is a longer card that ends so: from some part on, of which one is missing at least. */
function isEndOf(code, parts) {
  return parts.some(({ atom, times }, place) => {
    const most = /(\d+)\}$/.exec(times);
    const left = most ? `{0,${Math.max(0, most[1] - 1)}}` : /[+*,]/.test(times) ? '*' : '{0}';
    const rest = parts.slice(place + 1).map((part) => part.atom + part.times);
    return looksLikeCard(code, [`^${atom}${left}${rest.join('')}$`]);
  });
}

function completedBy(code, parts) {
  if (parts.some(({ times }) => !/^(?:\{\d+\})?$/.test(times))) return null;
  const begin = parts.findIndex(({ atom, times }) => times !== '' || !/^\w$/.test(atom));
  const head = parts.slice(0, begin < 0 ? parts.length : begin).map(({ atom }) => atom);
  const whole = `^${parts.map(({ atom, times }) => atom + times).join('')}$`;
  const cards = head
    .slice(1)
    .map((_, lost) => head.slice(0, lost + 1).join('') + code)
    .filter((card) => looksLikeCard(card, [whole]));
  return cards.length === 1 ? cards[0] : null;
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
 * for something else, or does not come back, Koha is queried for the card; null where it does not answer.
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
  return answer.status === 200 && Array.isArray(answer.body) ? answer.body.length === 0 : null;
}
