import { afterEach, describe, expect, test } from '@jest/globals';
import type { PatronPage } from '../src/index.ts';
import { hang, json, patronRow, startTinyKoha, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const PATRONS = 'GET /api/v1/patrons';
const COPIES = { type: 'PASSPORTED_ID', prefix: 'midland:' };
const copy = (patronId: number, changes: Record<string, unknown> = {}): Record<string, unknown> =>
  patronRow({
    patron_id: patronId,
    extended_attributes: [
      { type: 'PASSPORTED_ID', value: `midland:${patronId}`, extended_attribute_id: patronId },
    ],
    ...changes,
  });
const hidden = { ...patronRow(), patron_id: null, cardnumber: null, surname: null, category_id: null };
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

async function pagesOf(list: AsyncIterable<PatronPage>): Promise<PatronPage[]> {
  const pages: PatronPage[] = [];
  for await (const page of list) pages.push(page);
  return pages;
}

describe('a list of copies', () => {
  test('T-25 names a row that cannot be read and goes on with the others', async () => {
    const broken = copy(2, { category_id: 'x'.repeat(300) });
    koha = await startTinyKoha({ [PATRONS]: json(200, [copy(1), broken, copy(3)]) });
    const [page] = await pagesOf(koha.client().listCopies(COPIES));
    expect(page?.patrons.map(({ patronId }) => patronId)).toEqual([1, 3]);
    expect(page?.unreadable).toEqual([2]);
  });

  test('goes past a page of which this API user is shown nobody', async () => {
    koha = await startTinyKoha({
      [PATRONS]: [
        json(
          200,
          range(1, 100).map((id) => copy(id)),
        ),
        json(
          200,
          Array.from({ length: 100 }, () => hidden),
        ),
        json(200, [copy(201)]),
      ],
    });
    const pages = await pagesOf(koha.client().listCopies(COPIES));
    expect(pages.map(({ patrons, rows }) => [patrons.length, rows])).toEqual([
      [100, 100],
      [0, 100],
      [1, 1],
    ]);
    expect(koha.calls().map(({ query }) => query.get('_page'))).toEqual([null, null, '2']);
  });

  test('that never ends is given up', async () => {
    koha = await startTinyKoha({
      [PATRONS]: json(
        200,
        range(1, 100).map((id) => copy(id)),
      ),
    });
    await expect(pagesOf(koha.client().listCopies(COPIES))).rejects.toMatchObject({
      code: 'bad_answer',
      causeCode: 'repeated_page',
    });
    expect(koha.calls()).toHaveLength(2);
  });

  test('has a deadline for each page, not for all', async () => {
    const full = json(
      200,
      range(1, 100).map((id) => copy(id)),
    );
    koha = await startTinyKoha({ [PATRONS]: [full, hang] });
    const list = koha.client({ timeoutMs: 300, slotWaitMs: () => 50 }).listCopies(COPIES);
    await list.next();
    // Time passes, longer than a deadline of all pages would last: what was done meanwhile with the first page.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const startedAt = performance.now();
    await expect(list.next()).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - startedAt).toBeGreaterThan(200);
  });
});

describe('patrons read by number', () => {
  test('T-25 are read although one of them cannot be', async () => {
    const broken = copy(2, { library_id: 4_711 });
    koha = await startTinyKoha({ [PATRONS]: json(200, [copy(1), broken]) });
    const page = await koha.client().readPatrons([1, 2, 3]);
    expect(page).toMatchObject({ unreadable: [2], rows: 2 });
    expect(page.patrons.map(({ patronId }) => patronId)).toEqual([1]);
  });

  test('are those that were requested, or the answer is none', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [copy(1), copy(99)]) });
    await expect(koha.client().readPatrons([1, 2])).rejects.toMatchObject({ code: 'bad_answer' });
  });

  test('are not more than a page has', async () => {
    koha = await startTinyKoha();
    await expect(koha.client().readPatrons(range(1, 101))).rejects.toThrow(RangeError);
    expect(koha.seen).toEqual([]);
  });
});

describe('what is remembered of copies', () => {
  const COPIES_ROUTE = 'GET /api/v1/contrib/passport/copies';
  const field = { hash: `Ab3_-9:${'h'.repeat(43)}`, at: 1_700_000_000, event: 'scan_1' };
  const row = (patronId: number, fields: unknown = { email: field }) => ({
    patron_id: patronId,
    version: 1,
    home_key: 'midland:8',
    fields,
  });
  test.each<[string, unknown]>([
    ['a value for a hash', { copies: [row(1, { email: { ...field, hash: 'adaeze@example.org' } })] }],
    ['rows out of order', { copies: [row(2), row(1)] }],
    ['a row outside the range', { copies: [row(1_000)] }],
    ['too many rows', { copies: range(1, 201).map((id) => row(id)) }],
    ['another program’s JSON', { message: 'ok' }],
  ])('is no answer with %s', async (_what, body) => {
    koha = await startTinyKoha({ [COPIES_ROUTE]: json(200, body) });
    await expect(koha.client().readRememberedCopies({ after: 0, upTo: 999 })).rejects.toMatchObject({
      code: 'bad_answer',
    });
  });

  test.each([
    ['no copies', { after: -1, upTo: 0 }],
    ['a range that ends before it begins', { after: 5, upTo: 5 }],
    ['none that is wanted', { after: 0, upTo: 999, wanted: [] }],
  ])('is nothing, and takes no call, of %s', async (_what, numbers) => {
    koha = await startTinyKoha();
    expect(await koha.client().readRememberedCopies(numbers)).toEqual([]);
    expect(koha.seen).toEqual([]);
  });

  test('is requested from the first number on, which is 1', async () => {
    koha = await startTinyKoha({ [COPIES_ROUTE]: json(200, { copies: [] }) });
    await koha.client().readRememberedCopies({ after: -1, upTo: 9 });
    expect(Object.fromEntries(koha.seen.at(-1)?.query ?? [])).toMatchObject({ after: '0', up_to: '9' });
  });

  test('is not taken for missing where a page of a proxy is', async () => {
    koha = await startTinyKoha({
      [COPIES_ROUTE]: (response) => response.writeHead(404).end('<html>no</html>'),
    });
    await expect(koha.client().readRememberedCopies({ after: 0, upTo: 999 })).rejects.toMatchObject({
      retryable: true,
    });
  });
});
