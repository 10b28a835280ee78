import { describe, expect, test } from '@jest/globals';
import {
  buildSeed,
  demoSamples,
  demoSeed,
  derivedCredentials,
  samplesOf,
  seedNames,
  type SeedName,
} from '../src/index.ts';
import { withKoha } from './support/with-koha.ts';

const patterns: Readonly<Record<SeedName, RegExp | null>> = {
  midland: /^21234\d{9}$/,
  riverside: /^25678\d{9}$/,
  lakeside: null,
};

describe.each(seedNames)('%s', (name) => {
  const samples = demoSamples(name);

  test('is the same on every start', () => {
    const pair = derivedCredentials(name);
    expect(JSON.stringify(demoSeed(name, pair))).toBe(JSON.stringify(demoSeed(name, pair)));
  });

  test('has enough of each kind to try', () => {
    expect(samples.eligible.length).toBeGreaterThanOrEqual(12);
    expect(samples.items.length).toBeGreaterThanOrEqual(12);
    for (const kind of [
      'expired',
      'restricted',
      'card_lost',
      'address_unconfirmed',
      'debt',
      'children',
    ] as const) {
      expect(samples[kind].length).toBeGreaterThanOrEqual(5);
    }
  });

  test('has cards of its own kind', () => {
    const pattern = patterns[name];
    const others = Object.values(patterns).filter((other) => other !== null);
    for (const card of samples.eligible) {
      expect(others.filter((other) => other.test(card))).toEqual(pattern === null ? [] : [pattern]);
    }
  });

  test('reads through the API as it was meant: whole, in many scripts, some of them restricted', () =>
    withKoha({ library: name, seed: name }, async (koha) => {
      const reply = await koha.request('GET', '/api/v1/patrons', { query: { _per_page: '1000' } });
      const text = JSON.stringify(reply.body);
      for (const script of ['Greek', 'Cyrillic', 'Arabic', 'Hebrew', 'Han', 'Thai', 'Hangul', 'Devanagari']) {
        expect(text).toMatch(new RegExp(`\\p{Script=${script}}`, 'u'));
      }
      const rows = koha.state().patrons;
      expect(rows.filter((row) => row.expired).length).toBeGreaterThanOrEqual(samples.expired.length);
      expect(rows.filter((row) => row.restricted)).toHaveLength(samples.restricted.length);
      expect(await koha.request('GET', '/api/v1/items', { query: { _per_page: '1000' } })).toMatchObject({
        status: 200,
      });
    }));

  test('checks every sample item out to a visitor at its main library', () =>
    withKoha({ library: name, seed: name }, async (koha) => {
      const { patron_id } = koha.putPatron('visitor', { surname: 'V', category_id: 'PT' });
      for (const barcode of samples.items.slice(0, 12)) {
        const body = { patron_id, external_id: barcode };
        expect(await koha.request('POST', '/api/v1/checkouts', { body })).toMatchObject({ status: 201 });
      }
    }));
});

test('midland and lakeside share some card numbers, of different people', () =>
  withKoha({ seed: 'midland' }, async (midland) => {
    await withKoha({ library: 'lakeside', seed: 'lakeside' }, async (lakeside) => {
      const shared = demoSamples('midland').two_homes;
      expect(demoSamples('lakeside').two_homes).toEqual(shared);
      expect(shared.length).toBeGreaterThanOrEqual(4);
      for (const card of shared) {
        const [here] = midland.state(card).patrons;
        const [there] = lakeside.state(card).patrons;
        expect(here).toMatchObject({ category_id: 'AD', expired: false, restricted: false });
        expect(there?.surname).not.toBe(here?.surname);
      }
    });
  }));

test('any number of patrons can be made for a bench', () => {
  const credentials = derivedCredentials('x');
  const seed = buildSeed({
    library: 'x',
    credentials,
    patrons: 2500,
    items: 10,
    card: (index) => `X${index}`,
  });
  expect(new Set(seed.patrons.map((patron) => patron.cardnumber)).size).toBe(2501);
  expect(samplesOf(seed).eligible.length).toBeGreaterThan(1000);
});
