import { afterEach, describe, expect, test } from '@jest/globals';
import { json, startTinyKoha, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const row = (changes: object = {}) => ({
  patron_id: 813,
  home_key: 'midland:8',
  overdues: 1,
  amount: 1250,
  ...changes,
});
const page = (changes: object = {}) => ({ rows: [row()], read: 1, next: null, ...changes });

describe('what a Koha says that copies owe', () => {
  const read = async (body: unknown): Promise<unknown> => {
    koha = await startTinyKoha({ 'GET /api/v1/contrib/passport/owed': json(200, body) });
    return koha.client().readOwed({ homeKeyType: 'PASSPORTED_ID', after: 812 });
  };

  test('is taken as it is, without what was not requested', async () => {
    expect(await read(page({ rows: [row({ title: 'A title' })], next: 813 }))).toEqual({
      rows: [{ patronId: 813, homeKey: 'midland:8', overdues: 1, amount: 1250 }],
      read: 1,
      next: 813,
    });
  });

  test.each([
    ['a negative amount', page({ rows: [row({ amount: -1 })] })],
    ['an amount with a fraction', page({ rows: [row({ amount: 12.5 })] })],
    ['an amount that nobody owes', page({ rows: [row({ amount: 1_000_000_001 })] })],
    ['an amount as text', page({ rows: [row({ amount: '12.50' })] })],
    ['a negative count', page({ rows: [row({ overdues: -1 })] })],
    ['a count that nobody has', page({ rows: [row({ overdues: 10_001 })] })],
    ['a copy of the page before', page({ rows: [row({ patron_id: 812 })] })],
    ['one copy twice', page({ rows: [row(), row()], read: 2 })],
    ['more copies than it looked at', page({ read: 0 })],
    [
      'a page that is too long',
      page({ rows: Array.from({ length: 201 }, (_, index) => row({ patron_id: 813 + index })), read: 200 }),
    ],
    ['a next page that is this one', page({ rows: [], next: 812 })],
    ['a next page before its last row', page({ rows: [row({ patron_id: 900 })], next: 850 })],
  ])('is not believed with %s', async (_what, body) => {
    await expect(read(body)).rejects.toMatchObject({ code: 'bad_answer' });
  });
});

describe('the restrictions that a Koha lists', () => {
  const list = async (restrictions: readonly unknown[]): Promise<unknown> => {
    koha = await startTinyKoha({
      'GET /api/v1/contrib/passport/restrictions/owed': json(200, { restrictions }),
    });
    return koha.client().listRestrictions('owed');
  };
  const one = (id: number, library: unknown = 'riverside') => ({ id, patron_id: 812, library });

  test('are those that name a library', async () => {
    expect(await list([one(1), one(2, null), one(3, 7)])).toEqual([
      { patronId: 812, kind: 'owed', library: 'riverside' },
    ]);
  });

  test('are not believed without an end', async () => {
    let calls = 0;
    koha = await startTinyKoha({
      'GET /api/v1/contrib/passport/restrictions/owed': (response, seen) => {
        calls += 1;
        const after = Number(seen.query.get('after'));
        const restrictions = Array.from({ length: 200 }, (_, index) => one(after + index + 1));
        json(200, { restrictions })(response, seen);
      },
    });
    await expect(koha.client().listRestrictions('owed')).rejects.toMatchObject({ code: 'bad_answer' });
    expect(calls).toBe(101);
  });

  test('are not waited for without an end', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/contrib/passport/restrictions/owed': (response, seen) => {
        const after = Number(seen.query.get('after'));
        const restrictions = Array.from({ length: 200 }, (_, index) => one(after + index + 1));
        setTimeout(() => json(200, { restrictions })(response, seen), 60);
      },
    });
    const client = koha.client({ timeoutMs: 100, slotWaitMs: () => 0 });
    await expect(client.listRestrictions('owed')).rejects.toMatchObject({ code: 'timeout' });
  });

  test.each([
    ['in no order', [one(2), one(1)]],
    ['on a page that is too long', Array.from({ length: 201 }, (_, index) => one(index + 1))],
    ['that come again', Array.from({ length: 200 }, (_, index) => one(index + 1))],
  ])('are not believed %s', async (_what, rows) => {
    await expect(list(rows)).rejects.toMatchObject({ code: 'bad_answer' });
  });
});

describe('what a Koha says of the loans of copies', () => {
  const loans = (changes: object = {}) => ({
    day: '2026-01-02',
    home: 'midland',
    branch: 'MAIN',
    checkouts: 1,
    renewals: 0,
    returns: 0,
    ...changes,
  });
  const answer = (changes: object = {}) => ({
    rows: [loans()],
    until: '2026-01-02',
    next: null,
    ...changes,
  });
  const read = async (body: unknown): Promise<unknown> => {
    koha = await startTinyKoha({ 'GET /api/v1/contrib/passport/loans': json(200, body) });
    return koha.client().readLoans({ passportType: 'PASSPORTED', from: '2026-01-02', to: '2026-01-05' });
  };

  test('is taken as it is, without what was not requested', async () => {
    expect(await read(answer({ rows: [loans({ card: '21234000000017' })] }))).toEqual(answer());
  });

  test.each([
    ['a count that no branch has', answer({ rows: [loans({ checkouts: 10_001 })] })],
    ['a negative count', answer({ rows: [loans({ returns: -1 })] })],
    ['a home that is no id', answer({ rows: [loans({ home: 'Ada Okafor' })] })],
    ['a branch that no column holds', answer({ rows: [loans({ branch: 'ELEVEN CHAR' })] })],
    ['a day that was not requested', answer({ rows: [loans({ day: '2026-01-01' })] })],
    ['a day that it has not counted', answer({ rows: [loans({ day: '2026-01-03' })] })],
    ['one row twice', answer({ rows: [loans(), loans()] })],
    ['more days than were requested', answer({ until: '2026-01-06' })],
    ['a next day that was counted', answer({ next: '2026-01-02' })],
    ['a next day beyond the end', answer({ next: '2026-01-06' })],
    ['rows of no day', answer({ until: null })],
  ])('is not believed with %s', async (_what, body) => {
    await expect(read(body)).rejects.toMatchObject({ code: 'bad_answer' });
  });
});
