/*
 * Patron Passport at the desk: on the page that Koha shows for an unknown card, a panel that says what the partner
 * libraries are doing about it, takes the item that waits, and opens the checkout when the patron is there.
 *
 * No library, no global. What is known of the event is kept in the history entry of the page: it survives reload and
 * back, and holds neither card nor item.
 */
(function () {
  'use strict';

  const API = '/api/v1/contrib/passport';
  const CHECKOUT = '/cgi-bin/koha/circ/circulation.pl';

  // ---- decisions -----------------------------------------------------------------------------------------------

  /** The card that Koha looked for in vain, or null where this is another page. */
  function cardOfPage(url) {
    if (!/\/members\/member\.pl$/.test(url.pathname)) return null;
    const query = new URLSearchParams(url.search);
    const card = (query.get('searchmember') || '').trim();
    return query.get('circsearch') === '1' && card !== '' ? card : null;
  }

  /** Names are typed into the same box; only what fits one of the library's patterns is a card. */
  function looksLikeCard(card, patterns) {
    return patterns.some((pattern) => {
      try {
        return new RegExp(pattern).test(card);
      } catch {
        return false;
      }
    });
  }

  /** t(key, values): the sentence in the page's language, in English where a translation lacks it. */
  function createWords(messages, language) {
    const wanted = String(language || 'en');
    const base = wanted.split(/[-_]/)[0].toLowerCase();
    const ours = messages[wanted] || messages[base] || {};
    const english = messages.en || {};
    return function t(key, values) {
      const text = ours[key] !== undefined ? ours[key] : english[key];
      if (text === undefined) return undefined;
      return text.replace(/\{(\w+)\}/g, (whole, name) =>
        values && values[name] !== undefined ? String(values[name]) : whole,
      );
    };
  }

  function isFinal(state) {
    return state.state === 'done' || state.state === 'failed';
  }

  function isHere(state) {
    return isFinal(state) && (state.outcome === 'COPIED' || state.outcome === 'ALREADY_LOCAL');
  }

  /** True when the rest happens in this library: the home is known. */
  function isLocated(state) {
    return Boolean(state.waiting_for && state.waiting_for.library === state.library);
  }

  /** How the loan of the item went, null when none was asked for or is not decided yet. */
  function loanOf(state) {
    const result = state.checkout && state.checkout.result;
    return result && result !== 'NOT_ASKED' ? result : null;
  }

  function isLent(state) {
    const loan = loanOf(state);
    return loan === 'CHECKED_OUT' || loan === 'ALREADY_CHECKED_OUT';
  }

  /** True when nobody has to read anything before the checkout opens. */
  function opensByItself(state) {
    return isHere(state) && (loanOf(state) === null || isLent(state));
  }

  /** Koha's retry: the checkout with the patron open. */
  function checkoutAddress(state, card) {
    return state.patron_id
      ? `${CHECKOUT}?borrowernumber=${encodeURIComponent(state.patron_id)}`
      : `${CHECKOUT}?findborrower=${encodeURIComponent(card)}`;
  }

  /** How long to wait before asking again: quick while somebody stands there, then ever slower. */
  function nextAskMs(followedMs) {
    if (followedMs < 3000) return 400;
    if (followedMs < 15000) return 1000;
    if (followedMs < 60000) return 2500;
    return 6000;
  }

  /** A report that could not be sent is tried again this long after, undefined: no more. */
  function nextReportMs(faults, retryAfterS) {
    const wait = [1000, 2000, 4000, 8000][faults];
    return wait === undefined ? undefined : Math.max(wait, Math.min(retryAfterS || 0, 10) * 1000);
  }

  /** What an answer to POST /scans means. */
  function readReport(status, body) {
    if (status === 202 && body && body.event_id) return { kind: 'accepted', eventId: body.event_id };
    if (status === 422) return { kind: 'stop', fault: 'not_a_card' };
    if (status === 401) return { kind: 'stop', fault: 'session' };
    if (status === 400 || status === 403 || status === 404) return { kind: 'stop', fault: 'forbidden' };
    if (status === 502) return { kind: 'stop', fault: 'refused' };
    return { kind: 'again', fault: 'unreachable' };
  }

  /** What an answer to GET /scans/{event_id} means. */
  function readState(status, body) {
    if (status === 200 && body && body.state) return { kind: 'state', state: body };
    if (status === 404) return { kind: 'lost' };
    if (status === 401) return { kind: 'stop', fault: 'session' };
    if (status === 403) return { kind: 'stop', fault: 'forbidden' };
    return { kind: 'again', fault: 'koha' };
  }

  /** A library's name as the service told it, else its id made readable. */
  function nameOf(id, homes) {
    const known = (homes || []).find((home) => home.id === id);
    if (known && known.name) return known.name;
    const words = String(id || '').replace(/[-_]+/g, ' ');
    return words.charAt(0).toUpperCase() + words.slice(1);
  }

  function joined(names, language) {
    try {
      return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
    } catch {
      return names.join(', ');
    }
  }

  function homesOf(state, t, language) {
    const names = (state.homes || []).map((home) => home.name || nameOf(home.id));
    return names.length > 0 ? joined(names, language) : t('home.unknown');
  }

  /** Which libraries hold it up and until when, as a sentence; while it waits for homes, they are the state's. */
  function waitingSentence(state, t, language, now) {
    const held = state.waiting_for;
    if (!held) return t('now.waiting');
    const names = (state.homes || []).map((home) => home.name || nameOf(home.id));
    const isNamed = names.length > 0 && !isLocated(state);
    const library = isNamed ? joined(names, language) : nameOf(held.library);
    const at = Date.parse(held.next_try_at || '');
    const when =
      at > now ? t('when', { time: new Date(at).toLocaleTimeString(language, { timeStyle: 'medium' }) }) : '';
    const sentence = t(`now.waiting.${held.reason}`, { library }) || t('now.waiting');
    return when ? `${sentence} ${when}` : sentence;
  }

  function problemSentence(state, t) {
    const problem = state.problem;
    if (!problem) return '';
    const what = t(`problem.${problem.what}`) || t('problem.other');
    const where = nameOf(problem.library, state.homes);
    return `${where}: ${problem.name ? `${what} (${problem.name})` : what}.`;
  }

  /** The verdict in plain words, and what to do now. */
  function verdictOf(state, t, language) {
    const outcome = state.outcome;
    const codes = (state.reasons || []).map((code) => t(`reason.${code}`)).filter(Boolean);
    const values = {
      home: homesOf(state, t, language),
      homes: homesOf(state, t, language),
      library: nameOf(state.library),
      reasons: joined(codes, language),
    };
    const key =
      outcome === 'NOT_ELIGIBLE' && codes.length === 0 ? 'outcome.NOT_ELIGIBLE.bare' : `outcome.${outcome}`;
    const verdict = t(key, values) || state.message || t('outcome.other');
    const advice = [t(`advice.${outcome}`, values), problemSentence(state, t)].filter(Boolean).join(' ');
    return { verdict, advice };
  }

  /** What became of the item, and what to do about it; nothing when no item was asked for. */
  function loanSentences(state, t, language) {
    const loan = loanOf(state);
    if (!loan) return { verdict: '', advice: '' };
    const keys = ((state.checkout && state.checkout.keys) || []).map((key) => t(`key.${key}`) || key);
    const values = { keys: joined(keys, language) };
    const key = keys.length > 0 ? `loan.${loan}.keys` : `loan.${loan}`;
    return {
      verdict: t(key, values) || t(`loan.${loan}`) || t('loan.other'),
      advice: t(`loan.${loan}.advice`) || '',
    };
  }

  /** The steps of the story and how far each is: done, now, later or failed. */
  function stepsOf(view) {
    const steps = { report: 'now', search: 'later', copy: 'later' };
    if (view.withItem) steps.lend = 'later';
    if (view.fault && !view.state) return { ...steps, report: view.isOver ? 'failed' : 'now' };
    if (!view.state) return steps;

    const state = view.state;
    steps.report = 'done';
    if (!isFinal(state)) {
      const isFound = isLocated(state);
      return { ...steps, search: isFound ? 'done' : 'now', copy: isFound ? 'now' : 'later' };
    }
    if (isHere(state)) {
      steps.search = 'done';
      steps.copy = 'done';
      if (view.withItem) steps.lend = isLent(state) ? 'done' : 'failed';
      return steps;
    }
    const wasFound = [
      'NOT_ELIGIBLE',
      'LOOKS_LIKE_LOCAL_PATRON',
      'LOCAL_CONFLICT',
      'LENDING_REFUSED',
      'LENDING_UNREACHABLE',
    ].includes(state.outcome);
    return { ...steps, search: wasFound ? 'done' : 'failed', copy: wasFound ? 'failed' : 'later' };
  }

  /**
   * Everything that the panel shows, decided from what is known: {state, fault, isOver, withItem, followedMs, now}.
   */
  function describe(view, t, language) {
    const steps = stepsOf(view);
    if (view.fault && (view.isOver || !view.state)) {
      const isOver = Boolean(view.isOver);
      return {
        steps,
        tone: isOver ? 'bad' : 'wait',
        verdict: t(isOver ? `fault.${view.fault}` : `fault.${view.fault}.again`) || t('fault.unreachable'),
        advice: isOver ? t(`fault.${view.fault}.advice`) || '' : '',
        canTryAgain: isOver && view.fault !== 'not_a_card' && view.fault !== 'session',
        canOpen: false,
        takesItem: !isOver && !view.withItem,
      };
    }
    const state = view.state;
    if (!state || !isFinal(state)) {
      let verdict = t('now.reporting');
      if (state) verdict = t(view.followedMs > 4000 ? 'now.slow' : 'now.searching');
      if (state && state.state === 'waiting') verdict = waitingSentence(state, t, language, view.now);
      if (view.fault) verdict = t(`fault.${view.fault}.again`) || verdict;
      const takesItem = !view.withItem;
      return {
        steps,
        tone: 'wait',
        verdict,
        advice: view.withItem ? t('item.waiting') : '',
        canTryAgain: false,
        canOpen: false,
        takesItem,
      };
    }
    const found = verdictOf(state, t, language);
    const loan = loanSentences(state, t, language);
    const isGood = opensByItself(state);
    const isNotLent = isHere(state) && !isGood;
    return {
      steps,
      tone: isGood ? 'good' : isNotLent ? 'partly' : 'bad',
      verdict: isLent(state) ? loan.verdict : found.verdict,
      advice: isNotLent ? [loan.verdict, loan.advice].filter(Boolean).join(' ') : isGood ? '' : found.advice,
      canTryAgain: [
        'HOME_UNREACHABLE',
        'LENDING_UNREACHABLE',
        'LENDING_REFUSED',
        'MISCONFIGURED',
        'TOO_LATE',
      ].includes(state.outcome),
      canOpen: isHere(state),
      takesItem: false,
    };
  }

  /**
   * Whether Koha's own search came back: 'pending', 'none' or 'some'. DataTables shows an empty row before the first
   * search too, so its last answer counts where it can be asked.
   */
  function hitsIn(document, jQuery) {
    const table = document.getElementById('memberresultst');
    if (!table) return 'pending';
    if (jQuery && jQuery.fn && jQuery.fn.dataTable && jQuery.fn.dataTable.isDataTable(table)) {
      const answer = jQuery(table).DataTable().ajax.json();
      if (!answer) return 'pending';
      const count =
        answer.recordsFiltered !== undefined ? answer.recordsFiltered : (answer.data || []).length;
      return count > 0 ? 'some' : 'none';
    }
    if (table.offsetParent === null) return 'pending';
    if (table.querySelector('td.dataTables_empty, td.dt-empty')) return 'none';
    return table.querySelector('tbody tr') ? 'some' : 'pending';
  }

  const decisions = {
    cardOfPage,
    looksLikeCard,
    createWords,
    opensByItself,
    checkoutAddress,
    nextAskMs,
    nextReportMs,
    readReport,
    readState,
    describe,
    hitsIn,
  };

  // A test takes the decisions and starts nothing.
  if (typeof module === 'object' && module.exports) {
    module.exports = decisions;
    return;
  }

  // ---- talking to Koha -----------------------------------------------------------------------------------------

  function csrfToken() {
    const meta = document.querySelector('meta[name="csrf-token"]');
    const input = document.querySelector('input[name="csrf_token"]');
    return (meta && meta.getAttribute('content')) || (input && input.value) || '';
  }

  /** {status, body, retryAfterS}; status 0 when there was no answer. */
  async function call(method, path, sent) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), 15000);
    const headers = { Accept: 'application/json' };
    if (sent) headers['Content-Type'] = 'application/json';
    const token = csrfToken();
    if (method !== 'GET' && token) headers['CSRF-TOKEN'] = token;
    try {
      const answer = await fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        body: sent ? JSON.stringify(sent) : undefined,
        signal: patience.signal,
      });
      const body = await answer.json().catch(() => null);
      return { status: answer.status, body, retryAfterS: Number(answer.headers.get('retry-after')) || 0 };
    } catch {
      return { status: 0, body: null, retryAfterS: 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  function report(card, barcode) {
    const sent = barcode ? { cardnumber: card, item_barcode: barcode } : { cardnumber: card };
    return call('POST', `${API}/scans`, sent);
  }

  // ---- remembering ---------------------------------------------------------------------------------------------

  const KEPT_MS = 20 * 60 * 1000;

  function remembered() {
    const state = history.state && history.state.passport;
    return state && typeof state === 'object' ? state : null;
  }

  function remember(facts) {
    history.replaceState({ ...history.state, passport: { ...remembered(), ...facts } }, '');
  }

  // ---- the panel -----------------------------------------------------------------------------------------------

  const CSS = `
    :host { display: block; margin: 0 0 1em; }
    section { background: #fff; border: 1px solid #b9c7b9; border-left: 5px solid #1f5f8b; border-radius: 4px;
      box-sizing: border-box; color: #222; font-size: 14px; line-height: 1.45; max-width: 46em; padding: 14px 18px 16px; }
    section[data-tone="good"] { border-left-color: #2f7031; }
    section[data-tone="partly"] { border-left-color: #b8860b; }
    section[data-tone="bad"] { border-left-color: #a94442; }
    header { align-items: center; display: flex; gap: 1em; justify-content: space-between; }
    h2 { color: #444; font-size: 13px; font-weight: 600; letter-spacing: 0.02em; margin: 0; }
    .verdict { font-size: 18px; font-weight: 600; line-height: 1.35; margin: 8px 0 2px; outline: none; }
    [data-tone="good"] .verdict, [data-tone="partly"] .verdict { color: #235a25; }
    [data-tone="bad"] .verdict { color: #8a2f2d; }
    .advice { margin: 0 0 4px; }
    .advice:empty { display: none; }
    ol { display: flex; flex-wrap: wrap; gap: 4px 22px; list-style: none; margin: 12px 0 0; padding: 0; }
    li { align-items: center; color: #5c5c5c; display: flex; gap: 7px; }
    li[data-is="now"] { color: #222; font-weight: 600; }
    li[data-is="done"] { color: #235a25; }
    li[data-is="failed"] { color: #8a2f2d; }
    .mark { border: 2px solid #9a9a9a; border-radius: 50%; box-sizing: border-box; display: inline-block; flex: none;
      height: 16px; position: relative; width: 16px; }
    [data-is="done"] .mark { background: #2f7031; border-color: #2f7031; }
    [data-is="done"] .mark::after { border: solid #fff; border-width: 0 2px 2px 0; content: ""; height: 7px; left: 4px;
      position: absolute; top: 1px; transform: rotate(45deg); width: 3px; }
    [data-is="failed"] .mark { background: #a94442; border-color: #a94442; }
    [data-is="failed"] .mark::after { background: #fff; content: ""; height: 2px; left: 2px; position: absolute;
      top: 5px; width: 8px; }
    [data-is="now"] .mark { animation: turn 0.9s linear infinite; border-color: #1f5f8b; border-right-color: #d5e3ee; }
    @keyframes turn { to { transform: rotate(360deg); } }
    form { align-items: end; border-top: 1px solid #e3e8e3; display: flex; flex-wrap: wrap; gap: 6px 10px;
      margin: 14px 0 0; padding: 12px 0 0; }
    form[hidden] { display: none; }
    label { display: block; font-weight: 600; width: 100%; }
    label small { color: #5c5c5c; display: block; font-size: 13px; font-weight: 400; }
    input { background: #fff; border: 1px solid #777; border-radius: 4px; box-sizing: border-box; color: #222;
      flex: 1 1 16em; font: inherit; max-width: 24em; padding: 6px 8px; }
    .fault { color: #8a2f2d; margin: 0; width: 100%; }
    .fault:empty { display: none; }
    .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; }
    button, .go { background: #fff; border: 1px solid #777; border-radius: 4px; color: #222; cursor: pointer;
      font: inherit; padding: 6px 14px; text-decoration: none; }
    button:hover, .go:hover { background: #f1f4f1; }
    .main { background: #2f7031; border-color: #2f7031; color: #fff; font-weight: 600; }
    .main:hover { background: #255a27; }
    button:focus-visible, .go:focus-visible, input:focus-visible { outline: 3px solid #1f5f8b; outline-offset: 2px; }
    button:disabled, input:disabled { background: #eee; color: #555; cursor: default; }
    [hidden] { display: none; }
    .unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
    @media (prefers-reduced-motion: reduce) { [data-is="now"] .mark { animation: none; } }
  `;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === 'function') made.addEventListener(name, value);
      else if (value === true) made.setAttribute(name, '');
      else if (value !== undefined && value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  /** Koha's own style sheets stop at the panel's edge, and a policy against inline styles does not mind these. */
  function dress(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(element('style', {}, CSS));
    }
  }

  function buildPanel(t, on) {
    const host = element('div', { id: 'passport-panel' });
    const root = host.attachShadow({ mode: 'open' });
    const verdict = element('p', { class: 'verdict', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
    const advice = element('p', { class: 'advice', role: 'status', 'aria-live': 'polite' });
    const steps = element('ol', { 'aria-label': t('steps') });
    const input = element('input', {
      id: 'item',
      type: 'text',
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      maxlength: '64',
      'aria-describedby': 'item-fault',
    });
    const itemFault = element('p', { class: 'fault', id: 'item-fault', role: 'alert' });
    const lend = element('button', { type: 'submit' }, t('item.submit'));
    const form = element(
      'form',
      { autocomplete: 'off', hidden: true },
      element('label', { for: 'item' }, t('item.label'), element('small', {}, t('item.hint'))),
      input,
      lend,
      itemFault,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const barcode = input.value.trim();
      if (barcode) on.item(barcode);
    });
    input.addEventListener('input', () => on.typing());

    const open = element('a', { class: 'go main', href: '#', hidden: true }, t('button.open'));
    const again = element('button', { type: 'button', class: 'main', hidden: true }, t('button.again'));
    const cancel = element('button', { type: 'button' }, t('button.cancel'));
    again.addEventListener('click', () => on.again());
    cancel.addEventListener('click', () => on.cancel());

    const section = element(
      'section',
      { 'aria-labelledby': 'title', 'data-tone': 'wait' },
      element('header', {}, element('h2', { id: 'title' }, t('title'))),
      verdict,
      advice,
      steps,
      form,
      element('div', { class: 'actions' }, open, again, cancel),
    );
    section.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') on.cancel();
    });
    dress(root);
    root.append(section);
    return { host, root, section, verdict, advice, steps, form, input, itemFault, lend, open, again, cancel };
  }

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function showSteps(list, steps, t) {
    const wanted = Object.entries(steps)
      .map(([step, is]) => `${step}:${is}`)
      .join();
    if (list.dataset.shows === wanted) return;
    list.dataset.shows = wanted;
    list.replaceChildren(
      ...Object.entries(steps).map(([step, is]) =>
        element(
          'li',
          { 'data-step': step, 'data-is': is },
          element('span', { class: 'mark', 'aria-hidden': 'true' }),
          element('span', {}, t(`step.${step}`)),
          element('span', { class: 'unseen' }, `(${t(`status.${is}`)})`),
        ),
      ),
    );
  }

  function place(host) {
    const results = document.getElementById('searchresults');
    if (results && results.parentNode) {
      results.parentNode.insertBefore(host, results);
      return;
    }
    (document.querySelector('main') || document.body).prepend(host);
  }

  /** True when somebody is in the middle of something that the focus must not be taken from. */
  function isBusyElsewhere(host) {
    const active = document.activeElement;
    if (!active || active === document.body || active === host) return false;
    if (active.closest('[role="dialog"], .modal')) return true;
    return /^(input|textarea|select)$/i.test(active.tagName) && active.value !== active.defaultValue;
  }

  // ---- the story -----------------------------------------------------------------------------------------------

  function startPanel(card, config, language) {
    const t = createWords(config.messages, language);
    const view = { state: null, fault: null, isOver: false, withItem: false, followedMs: 0 };
    let isGone = false;
    let isSendingItem = false;
    let run = 0;
    let wake = () => {};
    let leaving = null;

    const panel = buildPanel(t, { item: sendItem, typing: show, again: startAnew, cancel });

    const pause = (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, document.hidden ? ms * 3 : ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });

    function show() {
      const shown = describe(view, t, language);
      const isHeld = panel.input.value.trim() !== '';
      panel.section.dataset.tone = shown.tone;
      setText(panel.verdict, shown.verdict);
      showSteps(panel.steps, shown.steps, t);

      const keepsForm = shown.takesItem || isSendingItem || (shown.canOpen && isHeld && !view.withItem);
      panel.form.hidden = !keepsForm;
      panel.open.hidden = !shown.canOpen;
      if (shown.canOpen) panel.open.href = checkoutAddress(view.state, card);
      panel.again.hidden = !shown.canTryAgain;
      const isOver = view.isOver || (view.state && isFinal(view.state));
      setText(panel.cancel, t(isOver ? 'button.close' : 'button.cancel'));

      const isReady = Boolean(view.state) && opensByItself(view.state) && !isSendingItem;
      const leaves = isReady && !keepsForm && !config.cameBack && !isBusyElsewhere(panel.host);
      let advice = shown.advice;
      if (isReady && keepsForm) advice = t('item.held');
      else if (leaves) advice = t('going');
      setText(panel.advice, advice);
      if (leaves) leaveSoon();
      else stay();

      // what had the focus is gone: who works by keyboard goes on from the verdict
      const focused = panel.root.activeElement;
      if (focused && focused.closest('[hidden]')) panel.verdict.focus();
    }

    function leaveSoon() {
      if (leaving) return;
      leaving = setTimeout(
        () => location.replace(checkoutAddress(view.state, card)),
        isLent(view.state) ? 1200 : 500,
      );
    }

    function stay() {
      clearTimeout(leaving);
      leaving = null;
    }

    function cancel() {
      isGone = true;
      run += 1;
      stay();
      remember({ isCancelled: true });
      panel.host.remove();
      const search = document.getElementById('search_patron_filter');
      if (search) search.focus();
    }

    /** Sends until it is taken or of no use any more; the event's id, or null. */
    async function sendUntilTaken(barcode, mine, fails) {
      for (let faults = 0; ; faults += 1) {
        const answer = await report(card, barcode);
        if (isGone || mine !== run) return null;
        const meant = readReport(answer.status, answer.body);
        if (meant.kind === 'accepted') return meant.eventId;
        const again = meant.kind === 'again' ? nextReportMs(faults, answer.retryAfterS) : undefined;
        fails(meant.fault, again === undefined);
        if (again === undefined) return null;
        await pause(again);
        if (isGone || mine !== run) return null;
      }
    }

    async function follow(eventId, startedAt) {
      const mine = (run += 1);
      let lost = 0;
      let faults = 0;
      const isMine = () => !isGone && mine === run;
      while (isMine()) {
        const answer = await call('GET', `${API}/scans/${encodeURIComponent(eventId)}`);
        if (!isMine()) return;
        const meant = readState(answer.status, answer.body);
        view.followedMs = Date.now() - startedAt;
        lost = meant.kind === 'lost' ? lost + 1 : 0;
        faults = meant.kind === 'again' ? faults + 1 : 0;
        if (meant.kind === 'state') {
          view.state = meant.state;
          view.now = Date.now();
          view.fault = null;
        } else if (meant.kind === 'again' && faults > 1) {
          view.fault = meant.fault;
        }
        if (meant.kind === 'stop') end(meant.fault);
        else if (lost > 2) end('lost');
        else if (view.followedMs > KEPT_MS) end('lost');
        show();
        if (view.isOver || (view.state && isFinal(view.state) && !view.fault)) return;
        await pause(nextAskMs(view.followedMs));
      }
    }

    function end(fault) {
      view.fault = fault;
      view.isOver = true;
    }

    async function startAnew() {
      const mine = (run += 1);
      Object.assign(view, { state: null, fault: null, isOver: false, withItem: false, followedMs: 0 });
      remember({ eventId: null, withItem: false });
      show();
      focusItem();
      const eventId = await sendUntilTaken(undefined, mine, (fault, isOver) => {
        Object.assign(view, { fault, isOver });
        show();
      });
      if (eventId) begin(eventId, false);
    }

    function begin(eventId, withItem) {
      const startedAt = Date.now();
      Object.assign(view, { fault: null, isOver: false, withItem, followedMs: 0 });
      if (!view.state || withItem)
        view.state = { event_id: eventId, state: 'queued', homes: [], reasons: [] };
      remember({ eventId, withItem, startedAt, isCancelled: false });
      show();
      follow(eventId, startedAt);
    }

    /** The service lends the item itself, so that it is lent once: by the event that names it. */
    async function sendItem(barcode) {
      if (isSendingItem) return;
      isSendingItem = true;
      stay();
      panel.input.disabled = true;
      panel.lend.disabled = true;
      setText(panel.itemFault, '');
      const answer = await report(card, barcode);
      isSendingItem = false;
      panel.input.disabled = false;
      panel.lend.disabled = false;
      if (isGone) return;
      const meant = readReport(answer.status, answer.body);
      if (meant.kind === 'accepted') {
        panel.input.value = '';
        begin(meant.eventId, true);
        return;
      }
      setText(panel.itemFault, t('item.unsent'));
      show();
      panel.input.focus();
      panel.input.select();
    }

    function focusItem() {
      if (!isBusyElsewhere(panel.host) && !panel.form.hidden) panel.input.focus();
    }

    function resume(saved) {
      view.withItem = Boolean(saved.withItem);
      view.state = { event_id: saved.eventId, state: 'queued', homes: [], reasons: [] };
      show();
      focusItem();
      if (Date.now() - saved.startedAt > KEPT_MS) {
        end('lost');
        show();
        return;
      }
      follow(saved.eventId, saved.startedAt);
    }

    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) wake();
    });
    place(panel.host);

    // an empty live region has to be there before what it is to announce
    setTimeout(() => {
      const saved = remembered();
      if (saved && saved.eventId) resume(saved);
      else startAnew();
    }, 50);
  }

  /** Koha's own search decides: with hits on the page, staff choose among them and the panel stays away. */
  async function isUnknownHere(card) {
    for (let waitedMs = 0; waitedMs < 4000; waitedMs += 100) {
      const hits = hitsIn(document, window.jQuery);
      if (hits !== 'pending') return hits === 'none';
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const query = new URLSearchParams({ q: JSON.stringify({ cardnumber: card }), _per_page: '1' });
    const answer = await call('GET', `/api/v1/patrons?${query}`);
    return answer.status === 200 && Array.isArray(answer.body) && answer.body.length === 0;
  }

  async function start() {
    const facts = document.getElementById('passport-desk');
    if (!facts || document.getElementById('passport-panel')) return;
    const config = JSON.parse(facts.textContent);
    const card = cardOfPage(location);
    if (!card || !looksLikeCard(card, config.patterns)) return;

    const saved = remembered();
    if (saved && saved.isCancelled) return;
    const [arrival] = performance.getEntriesByType('navigation');
    config.cameBack = Boolean(arrival && arrival.type === 'back_forward');
    if (!(saved && saved.eventId) && !(await isUnknownHere(card))) return;
    startPanel(card, config, document.documentElement.lang || 'en');
  }

  // Whatever goes wrong in here, the page stays Koha's.
  start().catch(() => {});
})();
