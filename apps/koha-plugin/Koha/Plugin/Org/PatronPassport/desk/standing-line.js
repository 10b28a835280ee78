import { element, setText } from './element.js';
import { fetchStanding } from './koha-api.js';
import { createPause } from './page.js';
import { dress } from './panel-style.js';
import { describeStanding, nextStandingMs } from './standing.js';
import { createWords, languageOf } from './words.js';

const AGES_EVERY_MS = 30000;

const LINE_CSS = `
  :host { display: block; margin: 0 0 0.7em; }
  p { color: #5c5c5c; font-size: 13px; line-height: 1.4; margin: 0; overflow-wrap: anywhere; }
  p::before { content: "\\2713"; font-weight: 700; margin-inline-end: 6px; }
  p[data-tone="bad"] { color: #8a2f2d; font-weight: 600; }
  p[data-tone="bad"]::before { border: 2px solid currentColor; border-radius: 3px; content: "!"; padding: 0 5px; }
`;

/**
 * On the checkout page of a copy, one line above the checkout: whose visitor this is, in which standing, and when that was checked. What it
 * says at first is in the page; only while the check of this visit runs does it ask this Koha.
 */
export function showStanding() {
  const facts = document.getElementById('passport-standing');
  if (!facts || document.getElementById('passport-line')) return;
  const { standing, messages } = JSON.parse(facts.textContent);
  const language = languageOf(messages, document.documentElement.lang);
  const t = createWords(messages, language);
  const line = element('p', { role: 'status' });
  const host = element('div', { id: 'passport-line' });
  const root = host.attachShadow({ mode: 'open' });
  dress(root, LINE_CSS);
  root.append(line);
  const view = { standing, sentAt: performance.now() };
  const showLine = () => {
    const passedMs = performance.now() - view.sentAt;
    const { tone, text, advice } = describeStanding(view.standing, passedMs, t, language);
    line.dataset.tone = tone;
    setText(line, advice ? `${text} ${advice}` : text);
  };
  showLine();
  const form = document.getElementById('mainform');
  if (form) form.before(host);
  else (document.querySelector('main') || document.body).prepend(host);
  setInterval(showLine, AGES_EVERY_MS);
  void followCheck(view, showLine);
}

async function followCheck(view, showLine) {
  const pause = createPause();
  const beganAt = performance.now();
  for (;;) {
    const waitMs = nextStandingMs(view.standing, performance.now() - beganAt);
    if (waitMs === null) break;
    await pause(waitMs);
    const { status, body } = await fetchStanding(view.standing.patron_id);
    if (status === 200 && body) Object.assign(view, { standing: body, sentAt: performance.now() });
    // What is switched off meanwhile is not asked for any more, nor is a session that has ended.
    else if (status !== 0 && status < 500) break;
    showLine();
  }
  if (view.standing.is_checking) {
    view.standing = { ...view.standing, is_checking: false };
    showLine();
  }
}
