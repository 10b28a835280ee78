import { setTimeout as pause } from 'node:timers/promises';
import { deliver, until } from './installation.mjs';

/** Throws an error with this text unless the condition is true. */
export function check(condition, text) {
  if (!condition) throw new Error(text);
}

/** Registers `many` patrons at midland whose cards nobody used yet, and returns the cards. */
export async function patrons(installation, many) {
  const cards = Array.from({ length: many }, () => `21234${String((next += 1)).padStart(9, '0')}`);
  for (const card of cards) {
    // Koha makes a login from the letters of a name, so each patron gets letters of their own.
    const letters = card.slice(-5).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]);
    const columns = {
      surname: `Compose${letters}`,
      firstname: letters,
      library_id: 'MAIN',
      expiry_date: '2099-01-01',
    };
    const response = await fetch(`${installation.midlandUrl}/_double/patrons/${card}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(columns),
    });
    check(response.ok, `the stand-in refused a patron: ${response.status}`);
  }
  return cards;
}
let next = 700_000_000;

async function copies(installation, cards) {
  const { patrons: rows } = await (await fetch(`${installation.riversideUrl}/_double/state`)).json();
  return cards.map((card) => rows.filter(({ cardnumber }) => cardnumber === card).length);
}

/** Sends a scan of each card; resolves when every event has been acknowledged. */
export function sendAll(installation, cards) {
  return Promise.all(cards.map((card) => deliver(installation, `compose_${card}`, { cardnumber: card })));
}

/** Resolves when the events of all cards have ended, each with one copy. */
export async function allCopied(installation, cards) {
  for (const card of cards) {
    const state = await until(
      `event of a card to end`,
      async () => {
        const seen = await installation.state(`compose_${card}`);
        return seen?.state === 'done' || seen?.state === 'failed' ? seen : null;
      },
      120_000,
    );
    check(['COPIED', 'ALREADY_LOCAL'].includes(state.outcome), `an event ended ${state.outcome}`);
  }
  check(
    (await copies(installation, cards)).every((count) => count === 1),
    'a card has no copy, or two',
  );
}

/** Between two scans, in ms: a few in a second. */
const BETWEEN_MS = 330;

/** Sends a few scans in a second until it is stopped, or the page's containers are; `stop` resolves with their cards once each has been acknowledged. */
export function keepScanning(page) {
  const cards = [];
  const sent = [];
  const run = { isStopped: false };
  const loop = (async () => {
    while (!run.isStopped && !page.isStopped) {
      const [card] = await patrons(page, 1);
      cards.push(card);
      const delivery = deliver(page, `compose_${card}`, { cardnumber: card });
      delivery.catch(() => undefined); // reported by `stop`, unless something else has failed before
      sent.push(delivery);
      await pause(BETWEEN_MS);
    }
  })();
  loop.catch(() => undefined);
  return async () => {
    run.isStopped = true;
    await loop;
    await Promise.all(sent);
    return cards;
  };
}
