import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '../src/index.ts';
import { cardsOf, rowsOf } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha } from './support/with-koha.ts';

// Each row: what Koha's own search code answered when it was run (Koha/REST/Plugin/Query.pm, Koha/REST/Plugin/Objects.pm,
// Koha/Objects/Mixin/ExtendedAttributes.pm, Koha/Object.pm).
const attribute = (type: string, value: string | null): unknown => ({ type, value });

function fill(koha: TestKoha): void {
  koha.putPatron('C1', {
    surname: 'Kovač',
    updated_on: '2026-01-01T12:00:00+00:00',
    extended_attributes: [attribute('INTEREST', 'maps'), attribute('PASSPORTED', 'home')],
  });
  koha.putPatron('C2', {
    surname: 'Kovač',
    updated_on: '2026-01-02T12:00:00+00:00',
    extended_attributes: [attribute('PASSPORTED', 'home'), attribute('INTEREST', 'bees')],
  });
  koha.putPatron('C3', {
    surname: 'Okafor',
    updated_on: '2026-01-03T12:00:00+00:00',
    extended_attributes: [attribute('INTEREST', 'maps'), attribute('INTEREST', 'bees')],
  });
  koha.putPatron('C4', { surname: 'Abe', updated_on: '2026-01-04T12:00:00+00:00' });
}

interface Shape {
  readonly q?: unknown;
  readonly embed?: string;
  readonly order?: string;
  readonly query?: Readonly<Record<string, string>>;
}

function search(koha: TestKoha, { q, embed, order, query }: Shape): Promise<Reply> {
  return koha.request('GET', '/api/v1/patrons', {
    query: {
      ...(q === undefined ? {} : { q: JSON.stringify(q) }),
      ...(order === undefined ? {} : { _order_by: order }),
      ...query,
    },
    ...(embed === undefined ? {} : { headers: { 'x-koha-embed': embed } }),
  });
}

const withAttributes = 'extended_attributes';
const of = (type: unknown, value?: unknown): Record<string, unknown> => ({
  'extended_attributes.code': type,
  ...(value === undefined ? {} : { 'extended_attributes.attribute': value }),
});

const crashed = { status: 500, body: { error_code: 'internal_server_error' } };

describe.each(testedReleases)('GET /patrons on %s', (release) => {
  test.each<[string, Shape]>([
    ['a card, ordered by a bare key', { q: { cardnumber: 'C1' }, order: 'patron_id', embed: withAttributes }],
    ['the same when nothing matches', { q: { cardnumber: 'X' }, order: '+patron_id', embed: withAttributes }],
    [
      'an attribute, ordered by a bare key',
      { q: of('INTEREST', 'maps'), order: 'patron_id', embed: withAttributes },
    ],
    ['the database name of the bare key', { order: 'borrowernumber', embed: withAttributes }],
    ['a bare key in the query', { q: { patron_id: 2 }, embed: withAttributes }],
    ['a bare key deep in the query', { q: { '-or': [{ patron_id: 2 }] }, embed: withAttributes }],
    ['a bare key as simple filter', { query: { patron_id: '2' }, embed: withAttributes }],
    ['an attribute that is not embedded', { q: of('INTEREST', 'maps') }],
    ['SQL time at the top of a query', { q: { updated_on: { '>=': '2026-01-02 00:00:00' } } }],
    ['a bare date for a time', { q: { updated_on: { '>=': '2026-01-02' } } }],
    ['a time without an offset', { q: { updated_on: { '>=': '2026-01-02T00:00:00' } } }],
    ['a time of a day that is not', { q: { updated_on: { '>=': '2026-02-30T00:00:00Z' } } }],
    ['a time for a date', { q: { date_of_birth: '1980-01-01T00:00:00Z' } }],
  ])('%s is a 500', (_what, shape) =>
    withKoha({ release }, async (koha) => {
      fill(koha);
      expect(await search(koha, shape)).toMatchObject(crashed);
    }),
  );

  test.each(['=', '>=', '>'])(
    'a day that is not, compared by %s, is a 500 by strict_sql_modes, else nobody',
    (by) =>
      withKoha({ release }, async (koha) => {
        fill(koha);
        const shape = { q: { date_of_birth: by === '=' ? '1980-02-30' : { [by]: '1980-02-30' } } };
        expect(await search(koha, shape)).toMatchObject({ status: 200, body: [] });
        koha.putSettings({ strict_sql_modes: true });
        expect(await search(koha, shape)).toMatchObject(crashed);
      }),
  );

  test.each<[string, Shape, readonly string[]]>([
    [
      'a card, ordered by a prefixed key',
      { q: { cardnumber: 'C1' }, order: '+me.patron_id', embed: withAttributes },
      ['C1'],
    ],
    ['no embed, a bare key', { q: { surname: 'kovac' }, order: 'patron_id' }, ['C1', 'C2']],
    [
      'the balance alone, a bare key',
      { q: { surname: 'kovac' }, order: 'patron_id', embed: 'account_balance' },
      ['C1', 'C2'],
    ],
    [
      'an attribute like anything',
      { q: of('PASSPORTED', { '-like': '%' }), embed: withAttributes },
      ['C1', 'C2'],
    ],
    ['a wildcard in -like', { q: of('INTEREST', { '-like': 'm_ps' }), embed: withAttributes }, ['C1', 'C3']],
    ['like without a dash', { q: of('INTEREST', { like: 'be%' }), embed: withAttributes }, ['C2', 'C3']],
    [
      'an attribute of several values',
      { q: of('INTEREST', ['bees', 'x']), embed: withAttributes },
      ['C2', 'C3'],
    ],
    ['prefixed keys as a list', { q: { 'me.patron_id': [2, 4] }, embed: withAttributes }, ['C1', 'C3']],
    [
      'keys above one',
      { q: { ...of('INTEREST', { '-like': '%' }), 'me.patron_id': { '>': 3 } }, embed: withAttributes },
      ['C3'],
    ],
    ['an empty list of keys', { q: { 'me.patron_id': [] }, embed: withAttributes }, []],
    [
      'an attribute beside other names',
      { q: { ...of('INTEREST', 'maps'), library_id: 'MAIN', 'me.patron_id': [2, 3] }, embed: withAttributes },
      ['C1'],
    ],
    [
      'a time with an offset',
      {
        q: { 'me.patron_id': [2, 3, 4], updated_on: { '>=': '2026-01-02T13:00:00+01:00' } },
        embed: withAttributes,
      },
      ['C2', 'C3'],
    ],
    [
      'SQL time inside -and',
      { q: { '-and': [{ updated_on: { '>=': '2026-01-02 12:00:00' } }, { surname: ['Kovač', 'Okafor'] }] } },
      ['C2', 'C3'],
    ],
    [
      'SQL time under a prefix',
      { q: { 'me.patron_id': [2, 4], 'me.updated_on': { '>': '2026-01-03 00:00:00' } } },
      ['C3'],
    ],
    [
      'case, accents and trailing blanks',
      { q: of('passported', 'HÒME '), embed: withAttributes },
      ['C1', 'C2'],
    ],
    ['a leading blank counts', { q: { cardnumber: ' C1' } }, []],
    ['a tab counts', { q: { cardnumber: 'C1\t' } }, []],
  ])('%s finds the right rows', (_what, shape, cards) =>
    withKoha({ release }, async (koha) => {
      fill(koha);
      const reply = await search(koha, shape);
      expect([reply.status, cardsOf(reply)]).toEqual([200, cards]);
      expect(reply.headers.get('x-total-count')).toBe(String(cards.length));
    }),
  );

  test('pages by a prefixed key have neither gaps nor doubles', () =>
    withKoha({ release, seed: 'riverside' }, async (koha) => {
      const seen: unknown[] = [];
      for (let page = 1; page <= 5; page += 1) {
        const query = { _page: String(page), _per_page: '100' };
        seen.push(...cardsOf(await search(koha, { embed: withAttributes, order: 'me.patron_id', query })));
      }
      expect([seen.length, new Set(seen).size]).toEqual([401, 401]);
    }));
});

describe('attributes', () => {
  test.each(['A B', 'A.B', 'A`B'])('the type "%s" is no name of a table', (type) =>
    withKoha({ release: '25.05' }, async (koha) => {
      expect(await search(koha, { q: of(type, 'x'), embed: withAttributes })).toMatchObject(crashed);
    }),
  );

  test('23.11 embeds the attributes that matched, later releases all, by type and value', async () => {
    const shown = async (koha: TestKoha): Promise<unknown> => {
      const reply = await search(koha, {
        q: { ...of('PASSPORTED', 'home'), 'me.patron_id': 3 },
        embed: withAttributes,
      });
      return rowsOf(reply)[0]?.['extended_attributes'];
    };
    await withKoha({ release: '23.11' }, async (koha) => {
      fill(koha);
      expect(await shown(koha)).toMatchObject([{ type: 'PASSPORTED' }]);
      const whole = await koha.request('GET', '/api/v1/patrons/3', {
        headers: { 'x-koha-embed': withAttributes },
      });
      expect(whole.body).toMatchObject({
        extended_attributes: [{ type: 'PASSPORTED' }, { type: 'INTEREST' }],
      });
    });
    await withKoha({ release: '24.05' }, async (koha) => {
      fill(koha);
      expect(await shown(koha)).toMatchObject([{ type: 'INTEREST' }, { type: 'PASSPORTED' }]);
    });
  });
});

test('times inside a query are those of the server', () =>
  withKoha({ settings: { utc_offset_minutes: 60 } }, async (koha) => {
    koha.putPatron('C1', { updated_on: '2026-01-01T12:00:00+01:00' });
    const cards = async (q: unknown): Promise<unknown[]> => cardsOf(await search(koha, { q }));
    expect(await cards({ updated_on: '2026-01-01T11:00:00Z' })).toEqual(['C1']);
    expect(await cards({ 'me.updated_on': '2026-01-01 12:00:00' })).toEqual(['C1']);
    expect(await cards({ 'me.updated_on': '2026-01-01T11:00:00Z' })).toEqual([]);
  }));
