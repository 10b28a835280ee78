import { afterEach, describe, expect, test } from '@jest/globals';
import { KohaError, type KohaClient } from '../src/index.ts';
import {
  CARD,
  PATRON_BODY,
  hang,
  json,
  patronRow,
  startTinyKoha,
  type Reply,
  type TinyKoha,
} from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const PATRONS = 'GET /api/v1/patrons';
const wanted = { attributes: false, balance: false };
const how = { branch: 'MAIN', confirmNotDuplicate: false };
const look = (client: KohaClient): Promise<unknown> => client.findByCard(CARD, wanted);

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof KohaError ? `${error.operation}: ${error.code}` : error),
  );
}

describe('the cap on calls in flight', () => {
  test('is never exceeded, and every call is sent in the end', async () => {
    const slow: Reply = (response, seen) => {
      setTimeout(() => json(200, [patronRow()])(response, seen), 5);
    };
    koha = await startTinyKoha({ [PATRONS]: slow });
    const client = koha.client({ maxInFlight: 3 });
    const found = await Promise.all(Array.from({ length: 30 }, () => look(client)));
    expect(found.flat()).toHaveLength(30);
    expect(koha.mostOpen()).toBe(3);
    expect(client.inFlight).toBe(0);
  });

  test('fails a call that got no place in time as busy, not as a silent Koha', async () => {
    koha = await startTinyKoha({ [PATRONS]: [hang, json(200, [])] });
    const client = koha.client({ maxInFlight: 1, timeoutMs: 400 });
    const first = codeOf(client.findByCard(CARD, wanted, { timeoutMs: 5_000 }));
    const second = client.createPatron(PATRON_BODY, how, { timeoutMs: 150 });
    await expect(second).rejects.toMatchObject({
      code: expect.stringMatching(/busy|timeout/),
      effect: 'none',
    });
    await expect(client.findByCard(CARD, wanted, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'busy' });
    await koha.close();
    await first;
  });

  test('lets a waiting caller go when its signal ends', async () => {
    koha = await startTinyKoha({ [PATRONS]: hang });
    const client = koha.client({ maxInFlight: 1, timeoutMs: 5_000 });
    const first = codeOf(look(client));
    const leaver = new AbortController();
    const second = client.findByCard(CARD, wanted, { signal: leaver.signal });
    leaver.abort();
    await expect(second).rejects.toMatchObject({ code: 'aborted', effect: 'none' });
    await koha.close();
    await first;
  });

  test('sends those who wait away where its owner says so, and can be changed while calls are under way', async () => {
    const slow: Reply = (response, seen) => {
      setTimeout(() => json(200, [patronRow()])(response, seen), 50);
    };
    koha = await startTinyKoha({ [PATRONS]: [slow, slow, slow, slow] });
    let crowded = 0;
    const client = koha.client({ maxInFlight: 1, onCrowded: () => (crowded += 1) });
    await look(client); // with a token, so that what follows is under way at once
    const first = look(client);
    const second = codeOf(look(client));
    client.dismissWaiting();
    expect(await second).toBe('GET /patrons: busy');

    const third = look(client);
    client.setMaxInFlight(2);
    await Promise.all([first, third]);
    expect(koha.mostOpen()).toBe(2);
    expect(crowded).toBeGreaterThan(0); // all of one place were taken
    crowded = 0;
    client.setMaxInFlight(3);
    await Promise.allSettled([look(client), look(client), look(client)]);
    expect(crowded).toBe(1);
  });

  test('lets a call wait as long as its owner says, also when that changes during the wait', async () => {
    const slow: Reply = (response, seen) => {
      setTimeout(() => json(200, [patronRow()])(response, seen), 800);
    };
    koha = await startTinyKoha({ [PATRONS]: slow });
    let waitMs = 8_000;
    const client = koha.client({ maxInFlight: 1, timeoutMs: 10_000, slotWaitMs: () => waitMs });
    const first = look(client);
    const second = codeOf(look(client));
    waitMs = 20;
    expect(await second).toBe('GET /patrons: busy');
    waitMs = 8_000;
    await Promise.all([first, look(client)]);
  });

  test('holds no place for a call that has ended badly', async () => {
    koha = await startTinyKoha({ [PATRONS]: [hang, json(200, [])] });
    const client = koha.client({ maxInFlight: 1, timeoutMs: 100 });
    expect(await codeOf(look(client))).toBe('GET /patrons: timeout');
    expect(await look(client)).toEqual([]);
  });
});
