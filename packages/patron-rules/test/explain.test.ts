import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Library } from '@passport/config';
import { createKohaClient } from '@passport/koha-client';
import { startKohaDouble, type KohaDouble } from '@passport/koha-double';
import { explain, libraryById, readAnswer, type Explanation } from '../src/index.ts';
import { TODAY, consortium, library } from './builders.ts';

const ids = ['midland', 'riverside', 'lakeside'] as const;
type Id = (typeof ids)[number];

const settings: Record<Id, Parameters<typeof library>[1]> = {
  midland: {
    cards: [/^21234\d{9}$/],
    koha: { timeoutMs: 1_000 },
    share: { categories: { kind: 'except', categories: ['STAFF'] } },
  },
  riverside: {
    cards: [/^25678\d{9}$/],
    copy: { fields: ['surname', 'firstname', 'email'], set: { statistics_1: 'passport' } },
    eligibility: { maxDebt: 25 },
  },
  lakeside: { koha: { timeoutMs: 1_000 } },
};
const all = consortium(ids.map((id): Library => library(id, settings[id])));

const kohas = new Map<Id, { koha: KohaDouble; client: ReturnType<typeof createKohaClient> }>();
const at = (id: Id) => {
  const found = kohas.get(id);
  if (found === undefined) throw new Error(`no Koha at ${id}`);
  return found;
};

beforeAll(async () => {
  for (const id of ids) {
    const koha = await startKohaDouble({ library: id });
    const access = { library: id, url: koha.url, ...koha.credentials };
    kohas.set(id, {
      koha,
      client: createKohaClient({ ...access, timeoutMs: 1_000, maxInFlight: 8, now: Date.now }),
    });
  }
});
afterAll(async () => {
  for (const { koha, client } of kohas.values()) {
    client.close();
    await koha.close();
  }
});
beforeEach(() => {
  for (const { koha } of kohas.values()) koha.seed('empty');
});
afterEach(() => {
  for (const { koha } of kohas.values()) {
    koha.clearFaults();
    koha.clearCalls();
  }
});

const card = (last: number): string => `2123400000${String(last).padStart(4, '0')}`;

const disclosed: (readonly string[])[] = [];
function explained(
  scanned: string,
  lendingId: Id = 'riverside',
  of = all,
  branch = 'MAIN',
): Promise<Explanation> {
  const lending = at(lendingId).client;
  const { copy, eligibility } = libraryById(of, lendingId);
  return explain({
    consortium: of,
    lendingId,
    card: scanned,
    branch,
    scannedOn: TODAY,
    query: (id, cardnumber, signal) =>
      readAnswer(
        at(id as Id).client.findByCard(
          cardnumber,
          { attributes: true, balance: eligibility.maxDebt !== null },
          { signal },
        ),
      ),
    capabilities: () => lending.capabilities(),
    takesRestrictions: () => lending.takesRestrictions('home'),
    branches: async () => (await lending.branches()).map((each) => each.branch),
    hasPossibleDuplicate: (person) => lending.hasPossibleDuplicate(person),
    noteSearch: async ({ fields }) => void disclosed.push(fields),
    isGone: async (id, patronId) => {
      const patron = await at(id as Id).client.readPatron(patronId);
      return patron === null || patron.anonymized === true;
    },
    lookLocally: async (homeKey) => ({
      byCard: await lending.findByCard(scanned, { attributes: true, balance: false }),
      byHomeKey: await lending.findByAttribute(copy.homeKeyAttribute ?? '', homeKey),
    }),
  });
}

const home = (id: Id, number: number, columns: Record<string, unknown> = {}) =>
  at(id).koha.putPatron(card(number), {
    surname: 'Okafor',
    firstname: 'Adaeze',
    email: 'adaeze@example.org',
    category_id: 'AD',
    expiry_date: '2030-01-01',
    ...columns,
  });

describe('a dry run', () => {
  test('says who is queried, the decision and the copy by names, and writes and reports nothing', async () => {
    const { patron_id: patronId } = home('midland', 1);
    const explanation = await explained(card(1));
    expect(explanation).toMatchObject({
      queried: ['midland', 'lakeside'],
      located: 'found',
      homes: ['midland'],
      judgement: 'eligible',
      copy: {
        category: 'PT',
        branch: 'MAIN',
        homeKey: `midland:${patronId}`,
        expiryDate: '2030-01-01',
        fields: ['surname', 'firstname', 'email'],
        attributeTypes: ['PASSPORTED', 'PASSPORTED_ID'],
      },
      local: { kind: 'nobody' },
    });
    expect(explanation.copy?.properties).toContain('statistics_1');
    expect(JSON.stringify(explanation)).not.toMatch(/Okafor|Adaeze|adaeze|21234/);
    const writes = [...kohas.values()]
      .flatMap(({ koha }) => koha.calls())
      .filter(({ method, operation }) => method !== 'GET' && operation !== 'POST /oauth/token');
    expect(writes).toEqual([]);
  });

  describe('of somebody who may be registered at the lending library already', () => {
    const stopping = consortium(
      ids.map((id): Library =>
        library(id, {
          ...settings[id],
          ...(id === 'riverside'
            ? { copy: { fields: ['surname', 'firstname', 'date_of_birth'], onLookAlike: 'stop' } }
            : {}),
        }),
      ),
    );
    const born = { date_of_birth: '1990-05-01' };

    test('searches as a scan does, and says so', async () => {
      home('midland', 1, born);
      at('riverside').koha.putPatron('LOCAL', { surname: 'Okafor', firstname: 'Adaeze', ...born });
      expect(await explained(card(1), 'riverside', stopping)).toMatchObject({
        lookAlike: true,
        problem: null,
      });
      expect(disclosed.at(-1)).toEqual(['surname', 'firstname', 'date_of_birth']);
    });

    test('finds nobody where nobody is, and searches for nobody where nobody shall be looked for', async () => {
      home('midland', 1, born);
      expect(await explained(card(1), 'riverside', stopping)).toMatchObject({ lookAlike: false });
      const before = disclosed.length;
      expect(await explained(card(1))).toMatchObject({ lookAlike: false });
      expect(disclosed).toHaveLength(before);
    });
  });

  test('names a branch that the lending library does not have, whatever its case', async () => {
    home('midland', 1);
    expect(await explained(card(1), 'riverside', all, 'NOPE')).toMatchObject({
      problem: { library: 'riverside', what: 'branch', name: 'NOPE' },
    });
    expect(await explained(card(1), 'riverside', all, 'main')).toMatchObject({ problem: null });
  });

  test('T-04 queries nobody for what is no partner’s card', async () => {
    const explanation = await explained('Okafor', 'lakeside');
    expect(explanation).toMatchObject({ queried: [], located: 'not_a_card', judgement: null });
    expect(at('midland').koha.calls()).toEqual([]);
    expect(at('riverside').koha.calls()).toEqual([]);
  });

  test('T-15 distinguishes nowhere, unknown and refused', async () => {
    expect(await explained(card(2))).toMatchObject({ located: 'nowhere' });
    at('lakeside').koha.addFaults([{ operation: 'GET /patrons', kind: 'html' }]);
    expect(await explained(card(2))).toMatchObject({
      located: 'no_answer',
      silent: [{ library: 'lakeside', reason: 'NO_ANSWER' }],
    });
    at('lakeside').koha.putSettings({ permissions: ['catalogue:1'] });
    expect(await explained(card(2))).toMatchObject({
      located: 'refused',
      problem: { library: 'lakeside', what: 'permission' },
    });
  });

  test('T-10 names both homes of one card', async () => {
    home('midland', 3);
    home('lakeside', 3);
    expect(await explained(card(3))).toMatchObject({ located: 'ambiguous', homes: ['midland', 'lakeside'] });
  });

  test('T-33 takes a copy at a third library for no home', async () => {
    home('lakeside', 4, { extended_attributes: [{ type: 'PASSPORTED', value: 'midland' }] });
    expect(await explained(card(4))).toMatchObject({ located: 'nowhere' });
    home('midland', 4);
    expect(await explained(card(4))).toMatchObject({ located: 'found', homes: ['midland'] });
  });

  test('T-09 finds nobody by a login, at home or here', async () => {
    at('midland').koha.putPatron('X1', { surname: 'Other', userid: card(5) });
    expect(await explained(card(5))).toMatchObject({ located: 'nowhere' });
    home('lakeside', 5);
    at('riverside').koha.putPatron('X2', { surname: 'Other', userid: card(5) });
    expect(await explained(card(5))).toMatchObject({
      located: 'found',
      homes: ['lakeside'],
      local: { kind: 'nobody' },
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['EXPIRED', { expiry_date: '2020-01-01' }],
    ['CARD_LOST', { patron_card_lost: true }],
    ['ADDRESS_UNCONFIRMED', { incorrect_address: true }],
    ['DEBT_OVER_LIMIT', { account_balance: 25.5 }],
  ])('T-12 gives the reason %s', async (reason, columns) => {
    home('midland', 6, columns);
    expect(await explained(card(6))).toMatchObject({
      judgement: 'not_eligible',
      reasons: [reason],
      copy: null,
    });
  });

  test('says that the home library does not share somebody, before any reason', async () => {
    home('midland', 7, { category_id: 'STAFF', patron_card_lost: true });
    expect(await explained(card(7))).toMatchObject({
      judgement: 'not_shared',
      notSharedBecause: 'category',
      reasons: [],
    });
  });

  test('T-13 names a category that was not decided', async () => {
    home('midland', 8);
    const category = { kind: 'by_home_category', map: { CH: 'PT' }, otherwise: null } as const;
    const mapped = consortium([
      library('midland', settings.midland),
      library('riverside', { copy: { category } }),
    ]);
    expect(await explained(card(8), 'riverside', mapped)).toMatchObject({
      judgement: 'eligible',
      problem: { library: 'riverside', what: 'category', name: 'AD' },
      copy: null,
    });
  });

  test('says who holds the card here already', async () => {
    home('midland', 9);
    const native = at('riverside').koha.putPatron(card(9), { surname: 'Native' });
    expect(await explained(card(9))).toMatchObject({
      local: { kind: 'native', patronId: native.patron_id },
    });
  });

  test('waits for the library whose pattern fits, and where patterns decide queries nobody else', async () => {
    home('lakeside', 8);
    at('midland').koha.addFaults([{ operation: 'GET /patrons', kind: 'reset_before', times: 2 }]);
    const waits = { located: 'no_answer', silent: [{ library: 'midland' }] };
    expect(await explained(card(8))).toMatchObject({ ...waits, queried: ['midland', 'lakeside'] });

    const decided = { ...all, locate: { strict: false, patternsDecide: true } };
    expect(await explained(card(8), 'riverside', decided)).toMatchObject({ ...waits, queried: ['midland'] });
    expect(await explained(card(8), 'riverside', decided)).toMatchObject({
      located: 'found',
      homes: ['lakeside'],
      queried: ['midland', 'lakeside'],
    });
  });
});
