import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeKoha, isFrom, releases } from '@passport/koha-double';
import type { Exchange } from '@passport/koha-double';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startConsortium } from '../harness/start-consortium.ts';
import type { Consortium } from '../harness/start-consortium.ts';

const FILE = fileURLToPath(new URL('../../../../shared/koha/openapi/koha-subset.yaml', import.meta.url));
const kohaDescription = describeKoha(FILE);
const describedTest = kohaDescription === null ? test.skip : test;
const note = kohaDescription === null ? ' (skipped: no ../shared/koha/openapi/koha-subset.yaml here)' : '';

describe.each(releases)('between Kohas of release %s', (release) => {
  const exchanges: Exchange[] = [];
  let consortium: Consortium<'home' | 'lending'>;
  beforeAll(async () => {
    const koha = { release, onExchange: (exchange: Exchange) => void exchanges.push(exchange) };
    consortium = await startConsortium({ libraries: { home: { koha }, lending: { koha } } });
  }, 60_000);
  afterAll(() => consortium?.stop());

  const scan = async (data: Readonly<Record<string, unknown>>) => {
    const desk = consortium.at('lending');
    return desk.follow((await desk.scan(data)).eventId);
  };

  test('a scan makes a copy and a loan, a second finds both, and an unknown card is not found', async () => {
    const { home, lending } = consortium.doubles;
    const card = registerPatron(home);
    const book = shelveBook(lending);
    const first = await scan({ cardnumber: card, item_barcode: book });
    expect(first).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    const again = await scan({ cardnumber: card, item_barcode: book });
    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL', checkout: { result: 'ALREADY_CHECKED_OUT' } });
    const unknown = await scan({ cardnumber: '21234700000000', item_barcode: null });
    expect(unknown).toMatchObject({ outcome: 'NOT_FOUND' });
    expect(lending.state(card)).toMatchObject({
      patrons: [{ category_id: 'PT' }],
      checkouts: [{ external_id: book }],
    });
  });

  test('a namesake with the same birth date stops the copy where the release looks for one', async () => {
    const { home, lending } = consortium.doubles;
    const person = { surname: 'Twin', firstname: 'Same', date_of_birth: '1970-01-01' };
    const card = registerPatron(home, { columns: person });
    lending.putPatron('LOCAL1', { ...person, category_id: 'AD' });
    const { outcome } = await scan({ cardnumber: card, item_barcode: null });
    expect(outcome).toBe(isFrom(release, '25.11') ? 'LOOKS_LIKE_LOCAL_PATRON' : 'COPIED');
  });

  describedTest(`every request made and every answer given fits Koha's own description${note}`, () => {
    const checked = exchanges.map((exchange) => ({
      call: `${exchange.method} ${exchange.path}`,
      ...kohaDescription?.check(exchange),
    }));
    expect(checked.filter(({ isDescribed }) => isDescribed === true).length).toBeGreaterThan(8);
    // The file is older than 26.05, whose override can silence the mail to the library's staff, too.
    const later = release === '26.05' ? ['x-koha-override: a value that is not in the list'] : [];
    const misfits = checked.flatMap(({ call, request = [], answer = [] }) =>
      [...request, ...answer]
        .filter((misfit) => !later.includes(misfit))
        .map((misfit) => `${call}: ${misfit}`),
    );
    expect(misfits).toEqual([]);
  });
});
