import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort, waitFor } from '@passport/testkit';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

type Ids = 'alder' | 'birch' | 'riverside';

let consortium: Consortium<Ids>;
beforeAll(async () => {
  consortium = await startConsortium<Ids>({
    libraries: {
      alder: {
        reports: false,
        cards: ['^21001\\d{9}$'],
        reachedAt: async () => `http://127.0.0.1:${await freePort()}`,
      },
      birch: {
        reports: false,
        cards: ['^21002\\d{9}$'],
        reachedAt: () => Promise.resolve('https://koha.invalid'),
      },
      riverside: { cards: ['^none$'] },
    },
  });
}, 60_000);
afterAll(() => consortium?.stop());

test.each([
  ['alder', '21001', 'refused'],
  ['birch', '21002', 'dns'],
])(
  'the log says why %s cannot be reached, at the first scan',
  async (library, prefix, cause) => {
    await consortium.at('riverside').scan({ cardnumber: `${prefix}000000017`, item_barcode: null });

    await waitFor('the cause to be logged', async () =>
      (await consortium.services.logs())
        .split('\n')
        .some((line) => line.includes(`"library":"${library}"`) && line.includes(`"cause_code":"${cause}"`)),
    );
  },
  30_000,
);

test('the same cause is not logged for each call', async () => {
  const lines = (await consortium.services.logs()).split('\n');
  expect(lines.filter((line) => line.includes('"msg":"library fails"'))).toHaveLength(2);
});
