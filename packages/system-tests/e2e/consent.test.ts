import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventState } from '@passport/contract';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import type { KohaDouble } from '@passport/koha-double';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

const TEXTS = { en: 'May we copy your record?', de: 'Dürfen wir Ihre Daten kopieren?' };
const consent_text = { id: '2026-11', text: TEXTS };

let consortium: Consortium<keyof typeof threeLibraries>;
/** A question that nobody answers: it is put before the other tests, which run while it lapses. */
let unanswered: Awaited<ReturnType<typeof scanUpTo>>;
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: {
      ...threeLibraries,
      lakeside: { entry: { copy: { consent: 'ask', consent_text, consent_within: '10m' } } },
      riverside: {
        ...threeLibraries.riverside,
        entry: { copy: { consent: 'ask', consent_text, consent_within: '10s' } },
      },
    },
  });
  unanswered = await scanUpTo('riverside');
}, 60_000);
afterAll(() => consortium?.stop());

const puts = ({ consent, waiting_for: held }: EventState): boolean =>
  consent !== undefined && held?.reason === 'CONSENT';

async function scanUpTo(library: 'lakeside' | 'riverside') {
  const { midland, [library]: lender } = consortium.doubles;
  const card = registerPatron(midland);
  const item = shelveBook(lender);
  const before = sentOf(lender).length;
  const desk = consortium.at(library);
  const { eventId } = await desk.scan({ cardnumber: card, item_barcode: item });
  const state = await desk.follow(eventId, { until: puts });
  expect(state).toMatchObject({
    state: 'waiting',
    homes: [{ id: 'midland', name: 'midland library' }],
    waiting_for: { library, reason: 'CONSENT' },
    consent: { text_id: '2026-11', texts: TEXTS },
  });
  expect(sentOf(lender).slice(before)).toEqual([]);
  return { card, desk, eventId, lender };
}

/** What was written at, or looked for in, a lending library by now: reports apart, nothing at all before a yes. */
const sentOf = (lender: KohaDouble): string[] =>
  lender
    .calls()
    .flatMap(({ operation }) => (operation === null ? [] : [operation]))
    .filter((operation) => /patrons|checkouts/.test(operation));

/** Changes what lakeside's configuration says of consent, and has every process load it. */
async function reloadWith(consent: 'ask' | 'none'): Promise<void> {
  const { env } = consortium.services;
  const path = env['PASSPORT_CONFIG'] ?? '';
  const file = JSON.parse(readFileSync(path, 'utf8')) as { libraries: { id: string; copy?: object }[] };
  const libraries = file.libraries.map((each) =>
    each.id === 'lakeside' ? { ...each, copy: { ...each.copy, consent } } : each,
  );
  writeFileSync(`${path}.new`, JSON.stringify({ ...file, libraries }));
  renameSync(`${path}.new`, path);
  expect(await runPassport(['config', 'reload'], { env })).toMatchObject({ code: 0 });
}

describe('consent', () => {
  test.each(['self_check', 'sip'] as const)(
    'a scan from %s ends at once, and sends to the desk',
    async (from) => {
      const { midland, lakeside } = consortium.doubles;
      const card = registerPatron(midland);
      const before = sentOf(lakeside).length;
      const desk = consortium.at('lakeside');
      const { eventId } = await desk.scan({ cardnumber: card, interface: from, operator: null });
      const end = await desk.follow(eventId, { timeoutMs: 15_000 });
      expect(end).toMatchObject({ state: 'done', outcome: 'CONSENT_AT_DESK' });
      expect(end.consent).toBeUndefined();
      expect(sentOf(lakeside).slice(before)).toEqual([]);
      const { out } = await runPassport(['explain', '--at', 'lakeside', '--card', '-'], {
        env: consortium.services.env,
        input: card,
      });
      expect(out).toMatch(/consent +the patron must agree at the desk first: text 2026-11/);
      expect(out).not.toContain(card);
    },
  );

  test('a yes copies and checks out, and its receipt names text, staff and time', async () => {
    const { card, desk, eventId, lender } = await scanUpTo('lakeside');
    const yes = { answer: 'yes', text_id: '2026-11', operator: 51 };

    expect(await desk.consent(eventId, { ...yes, text_id: 'another' })).toBe(409);
    expect(await desk.consent('evt_none', yes)).toBe(404);
    expect(await desk.consent(eventId, { ...yes, answer: 'maybe' })).toBe(422);
    expect(await desk.consent(eventId, yes)).toBe(200);
    expect(await desk.follow(eventId, { timeoutMs: 15_000 })).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(lender.state(card).patrons).toHaveLength(1);
    expect(await desk.consent(eventId, yes)).toBe(200);
    expect(await desk.consent(eventId, { ...yes, answer: 'no' })).toBe(409);

    const { env } = consortium.services;
    const { out } = await runPassport(['copies', 'export', '--at', 'lakeside', '--json'], { env });
    const csv = (await runPassport(['copies', 'export', '--at', 'lakeside'], { env })).out;
    expect(csv).toMatch(/,2026-11 51 20\d\d-\S+Z,\d+,$/m);
    expect(JSON.parse(out)).toMatchObject({
      receipts: [
        {
          event: eventId,
          what: 'disclosed',
          consent: { text_id: '2026-11', operator: 51, at: expect.stringMatching(/^20\d\d-.*Z$/) },
        },
      ],
    });
  });

  test('a no ends the event, and nothing is written', async () => {
    const { card, desk, eventId, lender } = await scanUpTo('lakeside');
    expect(await desk.consent(eventId, { answer: 'no', text_id: '2026-11', operator: 51 })).toBe(200);
    const end = await desk.follow(eventId, { timeoutMs: 15_000 });
    expect(end).toMatchObject({ state: 'done', outcome: 'CONSENT_REFUSED' });
    expect(end.consent).toBeUndefined();
    expect(lender.state(card).patrons).toEqual([]);
  });

  test('a cancel ends the question, and a yes after it changes nothing', async () => {
    const { card, desk, eventId, lender } = await scanUpTo('lakeside');
    expect(await desk.cancel(eventId)).toMatchObject({ result: 'NOTHING_WRITTEN' });
    await desk.follow(eventId, { timeoutMs: 15_000 });
    expect(await desk.consent(eventId, { answer: 'yes', text_id: '2026-11' })).toBe(409);
    expect(lender.state(card).patrons).toEqual([]);
  });

  test('what is on a screen stays when the configuration requires consent no longer, and a new scan has none', async () => {
    const waiting = await scanUpTo('lakeside');
    await reloadWith('none');
    try {
      const free = registerPatron(consortium.doubles.midland);
      const { eventId } = await waiting.desk.scan({ cardnumber: free });
      expect(await waiting.desk.follow(eventId)).toMatchObject({ outcome: 'COPIED' });
      expect(await waiting.desk.state(waiting.eventId)).toMatchObject({ waiting_for: { reason: 'CONSENT' } });
    } finally {
      await reloadWith('ask');
    }
    expect(await waiting.desk.consent(waiting.eventId, { answer: 'no', text_id: '2026-11' })).toBe(200);
    expect(await waiting.desk.follow(waiting.eventId)).toMatchObject({ outcome: 'CONSENT_REFUSED' });
    expect(waiting.lender.state(waiting.card).patrons).toEqual([]);
  }, 60_000);

  test('a worker that is killed while the patron reads leaves the question as it is', async () => {
    const { card, desk, eventId, lender } = await scanUpTo('lakeside');
    const [worker] = consortium.services.workers;
    await worker?.kill('SIGKILL');
    expect(await desk.consent(eventId, { answer: 'yes', text_id: '2026-11', operator: 51 })).toBe(200);
    await worker?.restart();
    expect(await desk.follow(eventId, { timeoutMs: 30_000 })).toMatchObject({ outcome: 'COPIED' });
    expect(lender.state(card).patrons).toHaveLength(1);
  }, 60_000);

  test('without an answer it ends by itself', async () => {
    const { card, desk, eventId, lender } = unanswered;
    expect(await desk.follow(eventId, { timeoutMs: 30_000 })).toMatchObject({
      state: 'done',
      outcome: 'CONSENT_LAPSED',
    });
    expect(lender.state(card).patrons).toEqual([]);
  }, 60_000);
});
