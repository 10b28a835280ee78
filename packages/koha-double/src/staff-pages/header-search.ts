import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import { html, type Html } from './html.ts';
import { circulationPath, memberPath } from './paths.ts';

export const headerSearchPath = '/intranet-tmpl/header-search.js';

/**
 * The header's search on the pages of patrons, with the ids that scripts go by (patron-search-header.inc,
 * member-search-box.inc, patron-search-box.inc): the patron search in front, the checkout box under a tab behind it, which is
 * called `circ_search` before Bootstrap 5 (24.11) and `circ_search_panel` since.
 */
export function headerSearch({ settings }: Double): Html {
  const suffix = isFrom(settings.release, '24.11') ? '_panel' : '';
  const tab = (name: string, text: string, isActive: boolean): Html =>
    html`<li role="presentation">
      <a
        href="#${name}${suffix}"
        role="tab"
        aria-controls="${name}${suffix}"
        aria-selected="${String(isActive)}"
        id="${name}-tab"
        >${text}</a
      >
    </li>`;
  return html`<div id="header_search">
    <div class="tab-content">
      <div
        id="patron_search${suffix}"
        role="tabpanel"
        class="tab-pane active"
        aria-labelledby="patron_search-tab"
      >
        <form method="get" action="${memberPath}">
          <input type="hidden" name="quicksearch" value="1" />
          <label for="searchmember">Search patrons</label>
          <input id="searchmember" name="searchmember" class="head-searchbox" type="text" />
          <button type="submit">Search</button>
        </form>
      </div>
      <div id="circ_search${suffix}" role="tabpanel" class="tab-pane" aria-labelledby="circ_search-tab">
        <form method="get" action="${circulationPath}" id="patronsearch">
          <label for="findborrower">Check out</label>
          <input
            id="findborrower"
            name="findborrower"
            class="head-searchbox"
            type="text"
            autocomplete="off"
          />
          <button type="submit">Submit</button>
        </form>
      </div>
    </div>
    <ul class="nav nav-tabs" role="tablist">
      ${tab('patron_search', 'Search patrons', true)} ${tab('circ_search', 'Check out', false)}
    </ul>
  </div>`;
}

/**
 * The tabs of that search, after Koha's staff-global.js: the first box has the focus when the page is ready, a tab's box when it
 * is opened; a click carries what was typed over to the other boxes, `selectTabByID` does not.
 */
export const headerSearchScript = `(function () {
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
