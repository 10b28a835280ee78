import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildScanEvent, signedRequest, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

let consortium: Consortium<keyof typeof threeLibraries>;
beforeAll(async () => {
  consortium = await startConsortium({ libraries: threeLibraries, receivers: 2, workers: 2 });
}, 60_000);
afterAll(() => consortium?.stop());

/** Jobs that the workers have ended so far, of all outcomes. */
async function jobsEnded(): Promise<number> {
  const texts = await Promise.all(consortium.services.workers.map((worker) => worker.metrics()));
  const rows = texts.join('\n').matchAll(/^passport_jobs_total\{[^}]*\} (\d+)$/gm);
  return Array.from(rows).reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A desk of lakeside that reports to the two receivers alternately. */
const desk = (place: number) => consortium.at('lakeside', place % 2);

test('T-20 fifty identical events at once, to two receivers and two workers, are one job, one patron and one checkout', async () => {
  const { midland, lakeside } = consortium.doubles;
  const card = registerPatron(midland);
  const book = shelveBook(lakeside);
  const before = await jobsEnded();
  const request = signedRequest({
    secret: consortium.secrets.lakeside,
    body: buildScanEvent({ cardnumber: card, item_barcode: book }),
  });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, place) => desk(place).deliver(request)));
  expect(answers.filter((answer) => answer.status === 202)).toHaveLength(50);
  expect(answers.filter((answer) => answer.body['duplicate'] === undefined)).toHaveLength(1);
  expect(await desk(0).follow(request.id)).toMatchObject({ outcome: 'COPIED' });
  expect(lakeside.state(card)).toMatchObject({
    patrons: [{ cardnumber: card }],
    checkouts: [{ external_id: book }],
  });
  expect(await jobsEnded()).toBe(before + 1);
});

test('T-20 twenty scans of one new patron at once, each for another book, make one copy and twenty checkouts', async () => {
  const { midland, lakeside } = consortium.doubles;
  const card = registerPatron(midland);
  lakeside.putSettings({ unique_gap_ms: 20 });
  const books = Array.from({ length: 20 }, () => shelveBook(lakeside));
  const answers = await Promise.all(
    books.map((book, place) => desk(place).scan({ cardnumber: card, item_barcode: book })),
  );
  const ends = await Promise.all(answers.map(({ eventId }) => desk(0).follow(eventId)));
  lakeside.putSettings({ unique_gap_ms: 0 });
  expect(ends.map((end) => String(end.outcome)).sort()).toEqual([...repeat('ALREADY_LOCAL', 19), 'COPIED']);
  expect(ends.map((end) => end.checkout?.result)).toEqual(repeat('CHECKED_OUT', 20));
  const { patrons, checkouts } = lakeside.state(card);
  expect(patrons).toHaveLength(1);
  expect(checkouts.map(({ external_id }) => String(external_id)).sort()).toEqual(books);
});

const repeat = (text: string, times: number): string[] => Array.from({ length: times }, () => text);

test('two desks that scan one card and item at the same moment, at different receivers, get one event to follow', async () => {
  const { midland, lakeside } = consortium.doubles;
  const card = registerPatron(midland);
  const data = { cardnumber: card, item_barcode: shelveBook(lakeside) };
  const before = await jobsEnded();
  const answers = await Promise.all([desk(0).scan(data), desk(1).scan(data)]);
  expect(new Set(answers.map(({ eventId }) => eventId)).size).toBe(1);
  const ends = await Promise.all(answers.map(({ id }, place) => desk(place).follow(id)));
  expect(ends).toMatchObject([{ outcome: 'COPIED' }, { outcome: 'COPIED' }]);
  expect(lakeside.state(card).checkouts).toHaveLength(1);
  expect(await jobsEnded()).toBe(before + 1);
});

test('events are shared by the workers', async () => {
  const { midland, lakeside } = consortium.doubles;
  lakeside.putSettings({ latency_ms: 20 });
  const answers = await Promise.all(
    Array.from({ length: 60 }, () =>
      desk(0).scan({ cardnumber: registerPatron(midland), item_barcode: null }),
    ),
  );
  await Promise.all(answers.map(({ eventId }) => desk(0).follow(eventId)));
  lakeside.putSettings({ latency_ms: 0 });
  await waitFor('both workers to have ended some', async () => {
    const texts = await Promise.all(consortium.services.workers.map((worker) => worker.metrics()));
    return texts.every((text) => /^passport_jobs_total\{[^}]*outcome="COPIED"[^}]*\} [1-9]/m.test(text));
  });
});
