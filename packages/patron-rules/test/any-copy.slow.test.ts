import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COPY_FIELDS } from '@passport/contract';
import { createKohaClient, parsePatron, type KohaPatron, type PatronBody } from '@passport/koha-client';
import { releases, startKohaDouble, type KohaDouble } from '@passport/koha-double';
import fc from 'fast-check';
import { buildPatronCopy, decideEligibility } from '../src/index.ts';
import { PLANTED, anyHomeRecord } from './any-home-record.ts';
import { aCopyCase, library } from './builders.ts';

const ALLOWED = new Set<string>([
  ...COPY_FIELDS,
  'cardnumber',
  'library_id',
  'category_id',
  'expiry_date',
  'statistics_1',
  'extended_attributes',
]);
const lending = library('riverside', { copy: { set: { statistics_1: 'passport' } } });

/** Parses the record the way every record is, under a card and number of its own. */
function parsed(json: Record<string, unknown>, number: number): KohaPatron {
  const wire = JSON.parse(
    JSON.stringify({ ...json, patron_id: number, cardnumber: `C${number}` }),
  ) as unknown;
  const patron = parsePatron(wire);
  if (patron === undefined) throw new Error('a record with an id, a card and a branch is a patron');
  return patron;
}

function copyOf(patron: KohaPatron, accepts: (property: string) => boolean): PatronBody {
  const copy = buildPatronCopy(aCopyCase({ patron, lending, accepts }));
  if (copy.kind !== 'copy') throw new Error(`no copy: ${copy.problem.what}`);
  return copy.body;
}

const kohas: {
  koha: KohaDouble;
  client: ReturnType<typeof createKohaClient>;
  properties: ReadonlySet<string>;
}[] = [];
beforeAll(async () => {
  for (const release of releases) {
    const koha = await startKohaDouble({ library: 'riverside', release });
    const access = { library: 'riverside', url: koha.url, ...koha.credentials };
    const client = createKohaClient({ ...access, timeoutMs: 10_000, maxInFlight: 4, now: Date.now });
    kohas.push({ koha, client, properties: (await client.capabilities()).patronProperties });
  }
});
afterAll(async () => {
  for (const { koha, client } of kohas) {
    client.close();
    await koha.close();
  }
});

test('T-01 T-02 T-03 T-19 2,000 random home records: nothing but allowed fields goes out, and each of three Kohas in turn takes the copy', async () => {
  let number = 0;
  const ended: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(anyHomeRecord, async (json) => {
      number += 1;
      const patron = parsed(json, number);
      const judgement = decideEligibility(aCopyCase({ patron, lending }));
      if (judgement.kind === 'not_eligible') {
        // T-17: the only thing that can be wrong with these records is that nobody has a name.
        expect(judgement.reasons).toContain('INCOMPLETE_RECORD');
        ended['INCOMPLETE_RECORD'] = (ended['INCOMPLETE_RECORD'] ?? 0) + 1;
        return;
      }
      const koha = kohas[number % kohas.length];
      if (koha === undefined) throw new Error('no Koha was started');
      const { client, properties } = koha;
      const body = copyOf(patron, (property) => properties.has(property));
      expect(Object.keys(body).filter((key) => !ALLOWED.has(key))).toEqual([]);
      expect(JSON.stringify(body)).not.toContain(PLANTED);
      const result = await client.createPatron(body, { branch: 'MAIN', confirmNotDuplicate: false });
      expect(result).toMatchObject({ kind: expect.stringMatching(/^(created|possible_duplicate)$/) });
      ended[result.kind] = (ended[result.kind] ?? 0) + 1;
    }),
    { numRuns: 2_000 },
  );
  for (const { koha } of kohas) {
    const copies = koha.state().patrons.filter(({ cardnumber }) => cardnumber?.startsWith('C') === true);
    // "!" is what Koha stores for "no login".
    expect([...new Set(copies.map((copy) => copy['password']))]).toEqual(['!']);
    expect(JSON.stringify(copies)).not.toContain(PLANTED);
  }
  // Without this, rules that refuse everybody would pass.
  expect(ended['created']).toBeGreaterThan(1_000);
}, 120_000);
