export const memberSearchPath = '/intranet-tmpl/member-search.js';

/**
 * The script of the patron search page: queries the API with the session's cookie for patrons that fit each of the words in
 * one of the standard fields, and goes on to the patron when exactly one does. A search that this browser has saved is
 * put into the form and shown instead, without going on, as Koha does with `default_save_state_search` (its datatables.js,
 * `_dt_save_restore_state`; patron-search.inc, `loaded_from_state`).
 */
export const memberSearchScript = `(function () {
  'use strict';
  const results = document.getElementById('searchresults');
  const filter = document.getElementById('search_patron_filter');
  const status = document.getElementById('search-status');
  const table = document.getElementById('memberresultst');
  const fields = ['surname', 'firstname', 'othernames', 'cardnumber', 'userid'];
  const saved = JSON.parse(localStorage.getItem('DataTables_members_member_memberresultst') || 'null');
  const isRestored = Boolean(saved && saved.external_filters && saved.external_filters.search_patron_filter);
  if (isRestored) filter.value = saved.external_filters.search_patron_filter;
  const text = filter.value.trim();
  if (text === '') return;

  const before = results.dataset.method === 'contains' ? '%' : '';
  const words = text.split(/\\s+/).map(function (word) {
    return { '-or': fields.map(function (field) { return { [field]: { like: before + word + '%' } }; }) };
  });
  const query = new URLSearchParams({ q: JSON.stringify({ '-and': words }), _per_page: '20', _order_by: '+surname' });

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

  fetch('/api/v1/patrons?' + query, { credentials: 'same-origin', headers: { Accept: 'application/json' } })
    .then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      const total = Number(answer.headers.get('X-Total-Count'));
      return answer.json().then(function (patrons) {
        if (patrons.length === 1 && !isRestored) {
          location.replace('/cgi-bin/koha/circ/circulation.pl?borrowernumber=' + patrons[0].patron_id);
          return;
        }
        status.textContent = total === 0 ? 'No patron found.' : total + ' patrons found.';
        showPatrons(patrons);
      });
    })
    .catch(function () {
      status.textContent = 'The search did not work.';
    });
})();
`;
