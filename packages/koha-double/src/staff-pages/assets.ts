import { paths } from './staff-page.ts';

/**
 * The tabs of the header's search, after Koha's staff-global.js: the first box has the focus when the page is ready, a tab's box when it
 * is opened; a click carries what was typed over to the other boxes, `selectTabByID` does not.
 */
const headerSearchScript = `(function () {
  'use strict';
  const header = document.getElementById('header_search');
  if (!header) return;
  const boxes = header.querySelectorAll('.head-searchbox');
  const tabs = header.querySelectorAll('[role="tab"]');

  function show(tab) {
    for (const each of tabs) {
      each.setAttribute('aria-selected', String(each === tab));
      document.getElementById(each.hash.slice(1)).classList.toggle('active', each === tab);
    }
    document.getElementById(tab.hash.slice(1)).querySelector('input[type="text"]').focus();
  }

  for (const tab of tabs) {
    tab.addEventListener('click', function (event) {
      event.preventDefault();
      const typed = Array.from(boxes, function (box) { return box.value; }).find(Boolean) || '';
      for (const box of boxes) box.value = typed;
      show(tab);
    });
  }

  window.jQuery = function (selector) {
    return Object.assign(Object.create(window.jQuery.fn), { 0: document.querySelector(selector) });
  };
  window.jQuery.fn = {
    selectTabByID: function (id) { show(this[0].querySelector('a[href="' + id + '"]')); },
  };

  document.addEventListener('DOMContentLoaded', function () {
    if (!location.hash) setTimeout(function () { header.querySelector('.tab-pane.active input[type="text"]').focus(); }, 0);
  });
})();
`;

/**
 * The script of the patron search page: queries the API with the session's cookie for patrons that fit each of the words in
 * one of the standard fields, and goes on to the patron when exactly one does, by an entry of its own in the history. A search that
 * this browser has saved is put into the form and shown instead, without going on, as Koha does with `default_save_state_search` (its
 * datatables.js, `_dt_save_restore_state`; patron-search.inc, `loaded_from_state`). The form's search replaces what the table shows,
 * in place; a letter and Clear also put an entry into the history, whose state is theirs (member.tt and patron-search.inc of 25.x).
 */
const memberSearchScript = `(function () {
  'use strict';
  const filter = document.getElementById('search_patron_filter');
  const status = document.getElementById('search-status');
  const table = document.getElementById('memberresultst');
  const fields = ['surname', 'firstname', 'othernames', 'cardnumber', 'userid'];
  const saved = JSON.parse(localStorage.getItem('DataTables_members_member_memberresultst') || 'null');
  const isRestored = Boolean(saved && saved.external_filters && saved.external_filters.search_patron_filter);
  const results = document.getElementById('searchresults');
  let drawn = 0;

  function cell(row, value, to) {
    const made = document.createElement('td');
    made.dir = 'auto';
    if (to) {
      const link = document.createElement('a');
      link.href = to;
      link.textContent = value;
      made.append(link);
    } else {
      made.textContent = value || '';
    }
    row.append(made);
  }

  function showPatrons(patrons) {
    const body = table.querySelector('tbody');
    body.replaceChildren();
    for (const patron of patrons) {
      const row = document.createElement('tr');
      const to = '/cgi-bin/koha/circ/circulation.pl?borrowernumber=' + patron.patron_id;
      cell(row, patron.cardnumber || 'No card', to);
      cell(row, [patron.firstname, patron.surname].filter(Boolean).join(' '));
      cell(row, patron.date_of_birth);
      cell(row, patron.category_id);
      cell(row, patron.library_id);
      body.append(row);
    }
    if (patrons.length === 0) {
      const row = document.createElement('tr');
      const empty = document.createElement('td');
      empty.className = 'dataTables_empty dt-empty';
      empty.colSpan = 5;
      empty.textContent = 'No matching records found';
      row.append(empty);
      body.append(row);
    }
    table.hidden = false;
  }

  function draw(words, isSaved) {
    const number = ++drawn;
    results.hidden = false;
    status.textContent = 'Searching …';
    const query = new URLSearchParams({ q: JSON.stringify({ '-and': words }), _per_page: '20', _order_by: '+surname' });
    fetch('/api/v1/patrons?' + query, { credentials: 'same-origin', headers: { Accept: 'application/json' } })
      .then(function (answer) {
        if (!answer.ok) throw new Error(String(answer.status));
        const total = Number(answer.headers.get('X-Total-Count'));
        return answer.json().then(function (patrons) {
          if (number !== drawn) return;
          if (patrons.length === 1 && !isSaved) {
            document.location.href = '/cgi-bin/koha/circ/circulation.pl?borrowernumber=' + patrons[0].patron_id;
            return;
          }
          status.textContent = total === 0 ? 'No patron found.' : total + ' patrons found.';
          showPatrons(patrons);
        });
      })
      .catch(function () {
        if (number === drawn) status.textContent = 'The search did not work.';
      });
  }

  function search(text, isSaved) {
    if (text === '') return;
    draw(text.split(/\\s+/).map(function (word) {
      return { '-or': fields.map(function (field) { return { [field]: { like: word + '%' } }; }) };
    }), isSaved);
  }

  document.getElementById('patron_search_form').addEventListener('submit', function (event) {
    event.preventDefault();
    search(filter.value.trim(), false);
  });
  for (const letter of document.querySelectorAll('.filterByLetter')) {
    letter.addEventListener('click', function (event) {
      event.preventDefault();
      history.pushState({}, '', location.pathname + '?firstletter=' + letter.textContent);
      draw([{ '-or': [{ surname: { like: letter.textContent + '%' } }] }], true);
    });
  }
  document.getElementById('clear_search').addEventListener('click', function (event) {
    event.preventDefault();
    history.pushState(null, '', location.pathname);
    filter.value = '';
    drawn += 1;
    results.hidden = true;
  });

  if (isRestored) filter.value = saved.external_filters.search_patron_filter;
  search(filter.value.trim(), isRestored);
})();
`;

/**
 * What an empty box for items is for, after Koha's circulation.tt: a slip of the patron, and no checkout. By `CircAutoPrintQuickSlip` it is
 * sent empty instead, and the page is the next patron's.
 */
const checkoutScript = `(function () {
  'use strict';
  const form = document.getElementById('mainform');
  form.addEventListener('submit', function (event) {
    const slip = { qslip: 'issueqslip', slip: 'issueslip' }[document.getElementById('autoprint').value];
    if (form.elements.barcode.value !== '' || slip === undefined) return;
    event.preventDefault();
    const query = 'print=' + slip + '&borrowernumber=' + form.elements.borrowernumber.value;
    window.open('/cgi-bin/koha/members/printslip.pl?' + query, 'printwindow');
  });
})();
`;

/**
 * The patrons whom a typed card or name may mean, which Koha looks for while it is typed (staff-global.js, `patron_autocomplete`, over
 * jQuery's autocomplete): a call of its own at each pause, from three characters on.
 */
const autocompleteScript = `(function () {
  'use strict';
  const box = document.getElementById('findborrower');
  if (!box) return;
  const fields = ['surname', 'firstname', 'cardnumber', 'userid'];
  let timer;
  box.addEventListener('input', function () {
    clearTimeout(timer);
    const text = box.value.trim();
    if (text.length < 3) return;
    timer = setTimeout(function () {
      const words = fields.map(function (field) { return { [field]: { like: text + '%' } }; });
      const query = new URLSearchParams({ q: JSON.stringify({ '-or': words }), _per_page: '10', _order_by: '+surname' });
      fetch('/api/v1/patrons?' + query, { credentials: 'same-origin', headers: { Accept: 'application/json' } })
        .catch(function () {});
    }, 300);
  });
})();
`;

/** The look of the staff pages: Koha-like, of our own making. */
const styles = `
:root { --green: #2b6436; --deep: #1d4425; --line: #c9d6cb; --wash: #eef4ef; --ink: #1f2a21; }
* { box-sizing: border-box; }
body { background: #f4f6f4; color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
a { color: #17518a; }
.skip { background: #fff; left: 0; padding: 8px 12px; position: absolute; top: -60px; }
.skip:focus { top: 0; z-index: 2; }
header { align-items: center; background: var(--deep); color: #fff; display: flex; flex-wrap: wrap; gap: 6px 24px;
  padding: 10px 20px; }
header a { color: #fff; text-decoration: none; }
header a:hover, header a[aria-current] { text-decoration: underline; text-underline-offset: 4px; }
.brand { font-size: 18px; font-weight: 700; }
.brand span { background: #fff; border-radius: 4px; color: var(--deep); display: inline-block; line-height: 1.3;
  margin-right: 6px; text-align: center; width: 1.4em; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0; padding: 0; }
.tab-pane { display: none; }
.tab-pane.active { display: block; }
#header_search form { align-items: center; display: flex; flex-wrap: wrap; gap: 8px; }
#header_search .nav-tabs { display: flex; flex-wrap: wrap; gap: 4px 14px; list-style: none; margin: 4px 0 0; padding: 0; }
#header_search input, #header_search button { font: inherit; padding: 3px 8px; }
.btn-toolbar { margin: 0 0 16px; }
.branch { align-items: center; display: flex; gap: 8px; margin-left: auto; }
.branch select, .branch button { font: inherit; padding: 3px 8px; }
.page { display: flex; flex-wrap: wrap; gap: 20px; margin: 20px auto; max-width: 1160px; padding: 0 20px; }
main { background: #fff; border: 1px solid var(--line); border-radius: 6px; flex: 1 1 520px; min-width: 0; padding: 18px 24px 28px; }
aside { align-self: flex-start; flex: 0 1 270px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 18px; margin: 20px 0 8px; }
.patroninfo { background: #fff; border: 1px solid var(--line); border-radius: 6px; overflow-wrap: anywhere; padding: 16px; }
.patroninfo h2 { margin: 0; }
.patroninfo .card { color: #4a5a4d; margin: 2px 0 10px; }
.plain, .links { list-style: none; margin: 0; padding: 0; }
.links { border-top: 1px solid var(--line); display: flex; gap: 16px; margin-top: 12px; padding-top: 10px; }
dl { display: grid; gap: 2px 12px; grid-template-columns: auto 1fr; margin: 12px 0; }
dt { color: #4a5a4d; }
dd { margin: 0; overflow-wrap: anywhere; }
dl.record { grid-template-columns: minmax(10em, auto) 1fr; }
.scan { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; margin: 0 0 20px; padding: 16px; }
.scan label { display: block; font-weight: 600; margin-bottom: 6px; }
.scan div { display: flex; flex-wrap: wrap; gap: 10px; }
.scan input[type=text] { border: 1px solid #6b7d6e; border-radius: 4px; flex: 1 1 240px; font: inherit; max-width: 460px;
  padding: 8px 10px; }
button, .button { background: var(--green); border: 1px solid var(--green); border-radius: 4px; color: #fff; cursor: pointer;
  display: inline-block; font: inherit; font-weight: 600; padding: 8px 18px; text-decoration: none; }
button:hover, .button:hover { background: var(--deep); }
:focus-visible { outline: 3px solid #f0a202; outline-offset: 2px; }
.attention { background: #fff6df; border: 1px solid #e2c46c; border-left: 5px solid #b07d00; border-radius: 4px;
  margin: 0 0 20px; padding: 12px 16px; }
.attention h2 { margin: 0 0 4px; }
.attention ul { margin: 0; }
.attention form { align-items: center; display: flex; gap: 16px; margin-top: 10px; }
.good { background: #e6f3e8; border: 1px solid #9cc5a2; border-radius: 4px; padding: 10px 14px; }
.quiet { color: #4a5a4d; }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: 600; padding: 8px 0; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: 8px 10px; text-align: left; vertical-align: top; }
th { background: var(--wash); }
.tiles { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); list-style: none; padding: 0; }
.tiles a { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; display: block; font-weight: 600;
  padding: 18px; text-decoration: none; }
.tiles a:hover { border-color: var(--green); }
/* What Koha's own style gives the pages of a plugin. */
.main { margin: 0 auto 20px; max-width: 1160px; padding: 0 20px; }
.breadcrumb ol { display: flex; flex-wrap: wrap; gap: 4px 10px; list-style: none; margin: 12px auto; max-width: 1160px; padding: 0 20px; }
.breadcrumb li + li::before { content: "/"; margin-right: 10px; }
.dialog { background: #eef4ff; border: 1px solid #9db6d8; border-radius: 4px; margin: 0 0 16px; padding: 12px 16px; }
.dialog.alert-warning { background: #fff6df; border-color: #e2c46c; border-left: 5px solid #b07d00; }
.btn { border: 1px solid #6b7d6e; border-radius: 4px; color: var(--ink); cursor: pointer; display: inline-block; font: inherit;
  margin: 0 8px 6px 0; padding: 6px 14px; text-decoration: none; background: #fff; max-width: 100%; white-space: normal; }
.btn-primary { background: var(--green); border-color: var(--green); color: #fff; font-weight: 600; }
.badge { border: 1px solid currentcolor; border-radius: 4px; font-weight: 700; padding: 0 8px; }
.text-bg-success { background: #e6f3e8; color: #1d4425; }
.text-bg-danger { background: #fdeaea; color: #8a1414; }
.text-bg-warning { background: #fff6df; color: #5f4400; }
.text-bg-secondary { background: #eceeed; color: #3a463c; }
#installed_plugins td:last-child > * { display: inline-block; margin-right: 12px; }
#passport_checks, #passport_failed { list-style: none; padding: 0; }
#passport_checks li, #passport_failed li { border-bottom: 1px solid var(--line); padding: 8px 0; }
fieldset { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 16px; min-width: 0; padding: 12px 16px; }
fieldset.action { border: 0; padding-left: 0; }
fieldset ol { list-style: none; margin: 0; padding: 0; }
fieldset li { margin: 0 0 12px; }
/* Of Bootstrap, which Koha has. */
.text-break { overflow-wrap: anywhere; }
fieldset .hint, fieldset label { overflow-wrap: anywhere; }
fieldset label { display: block; font-weight: 600; }
fieldset input[type=text], fieldset input[type=url], fieldset input[type=password], fieldset textarea { border: 1px solid #6b7d6e;
  border-radius: 4px; font: inherit; max-width: 100%; padding: 6px 8px; }
.hint { color: #4a5a4d; }
span.required, strong.required { color: #8a1414; }
footer { color: #4a5a4d; font-size: 14px; padding: 0 20px 24px; text-align: center; }
@media (max-width: 640px) { .branch { margin-left: 0; } main { padding: 14px; } table { display: block; overflow-x: auto; } }
`;

/** What pages load, by address: its type and its text. */
export const assets: Readonly<Record<string, readonly [type: string, text: string]>> = {
  [paths.style]: ['text/css; charset=utf-8', styles],
  [paths.headerSearch]: ['text/javascript; charset=utf-8', headerSearchScript],
  [paths.memberSearch]: ['text/javascript; charset=utf-8', memberSearchScript],
  [paths.checkout]: ['text/javascript; charset=utf-8', checkoutScript],
  [paths.autocomplete]: ['text/javascript; charset=utf-8', autocompleteScript],
};
