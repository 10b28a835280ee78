import { describe } from './describe.js';
import { element, setText } from './element.js';
import { fetchState } from './koha-api.js';
import { forgetLeft, forgetScan, notedScans } from './noted-scans.js';
import { createPause, place } from './page.js';
import { dress } from './panel-style.js';
import { readState } from './read-answer.js';
import { checkoutAddress, isFinal, isHere, isItemLeft } from './scan-state.js';

const AGAIN_MS = 2500;

/**
 * The other scans of this desk that are under way, each with its state, until somebody has seen what they came to. `isOwn(id)`: the
 * page shows it already. `patronId`: whose checkout this page is: what is left to do for them is said here, once.
 */
export async function followNoted({ t, language, isOwn, patronId }) {
  const list = buildList(t, language);
  const pause = createPause();
  const rows = new Map();
  // now, and not when this one is left again
  for (const scan of notedScans())
    if (!scan.lost && scan.patronId && scan.patronId === patronId) forgetScan(scan.id);
  for (;;) {
    const scans = notedScans().filter(({ id }) => !isOwn(id) && !(rows.get(id) || {}).isFinal);
    for (const scan of scans) {
      if (scan.lost || scan.patronId) {
        if (scan.lost || scan.patronId !== patronId) addRow(scan);
        continue;
      }
      const answer = await fetchState(scan.id);
      const { kind, state } = readState(answer.status, answer.body);
      // a session that has ended is of no more use to the list
      if (kind === 'stop') {
        forgetLeft();
        return;
      }
      if (kind === 'lost') forgetScan(scan.id);
      if (kind !== 'state') continue;
      const row = rows.get(scan.id) || { node: element('li', {}), isFinal: false };
      rows.set(scan.id, { ...row, isFinal: isFinal(state) });
      showRow(row.node, scan, state);
    }
    for (const [id, { node }] of rows) if (isOwn(id)) node.remove();
    list.host.hidden = list.rows.children.length === 0;
    if (!list.host.isConnected && !list.host.hidden) place(list.host);
    await pause(AGAIN_MS);
  }

  /** One that does not change any more. */
  function addRow(scan) {
    const parts = scan.lost
      ? partsOf(scan, null, lostSentence(scan))
      : partsOf(scan, { state: 'done', outcome: 'ALREADY_LOCAL', patron_id: scan.patronId }, t('scans.left'));
    const node = element('li', { 'data-tone': scan.lost ? 'bad' : 'good' }, ...parts);
    rows.set(scan.id, { node, isFinal: true });
    list.rows.append(node);
  }

  function lostSentence({ lost, ends, patronId: whose }) {
    if (whose && whose === patronId && lost !== 'unsure') return t('scans.lost_here');
    return t(`scans.lost_${lost}${ends ? '.of' : ''}`, { card: `…${ends}` });
  }

  function showRow(node, scan, state) {
    const isOfPage = state.patron_id !== null && state.patron_id === patronId;
    const isLeft = isItemLeft(state, scan.withItem);
    if (isOfPage && isFinal(state)) forgetScan(scan.id);
    if (isOfPage && isFinal(state) && !isLeft) {
      node.remove();
      return;
    }
    const view = { state, withItem: scan.withItem, followedMs: Date.now() - scan.at, now: Date.now() };
    const { tone, headline } = describe(view, t, language);
    node.dataset.tone = tone;
    const shows = [headline, isFinal(state), isOfPage].join();
    if (node.dataset.shows !== shows) {
      node.dataset.shows = shows;
      node.replaceChildren(...partsOf(scan, state, isOfPage ? `${headline} ${t('scans.here')}` : headline));
    }
    if (!node.isConnected) list.rows.append(node);
  }

  function partsOf(scan, state, sentence) {
    const time = new Date(scan.at).toLocaleTimeString(language, { timeStyle: 'short' });
    const remove = element('button', { type: 'button', 'aria-label': `${t('scans.remove')}: ${time}` }, '×');
    remove.addEventListener('click', () => {
      forgetScan(scan.id);
      remove.closest('li').remove();
      list.host.hidden = list.rows.children.length === 0;
    });
    const text = element('span', { class: 'said', role: 'status' });
    // a live region is read out when its text comes, not when it does
    setTimeout(() => setText(text, sentence), 50);
    const open = state !== null && isHere(state) && state.patron_id !== null && state.patron_id !== patronId;
    const links = open
      ? [element('a', { class: 'go', href: checkoutAddress(state, '') }, t('button.open'))]
      : [];
    return [element('span', { class: 'time' }, time), text, ...links, remove];
  }
}

function buildList(t, language) {
  const host = element('div', { id: 'passport-scans' });
  const root = host.attachShadow({ mode: 'open' });
  const rows = element('ul', { class: 'scans' });
  dress(root);
  root.append(
    element(
      'section',
      { 'aria-labelledby': 'scans-title', lang: language },
      element('h2', { id: 'scans-title' }, t('scans.title')),
      rows,
    ),
  );
  return { host, rows };
}
