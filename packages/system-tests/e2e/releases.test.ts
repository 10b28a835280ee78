import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isFrom, releases, testedReleases, type Exchange } from '@passport/koha-double';
import { describeKoha } from '@passport/koha-description';
import { waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';

const kohaDescription = await describeKoha(process.env['KOHA_OPENAPI']);
const describedTest = kohaDescription === null ? test.skip : test;
const note = kohaDescription === null ? ' (skipped: KOHA_OPENAPI is not set)' : '';

test('the documentation is for these releases', () => {
  const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  expect(read('docs/koha-setup.md')).toContain(`(${releases[0]} to ${releases.at(-1)})`);
  const rows = read('packages/koha-double/README.md').matchAll(/^\| (\d\d\.\d\d) \|/gm);
  expect(Array.from(rows, ([, release]) => release)).toEqual(releases);
});

describe.each(testedReleases)('between Kohas of release %s', (release) => {
  const exchanges: Exchange[] = [];
  let consortium: Consortium<'home' | 'lending'>;
  beforeAll(async () => {
    const koha = { release, onExchange: (exchange: Exchange) => void exchanges.push(exchange) };
    consortium = await startConsortium({ libraries: { home: { koha }, lending: { koha } } });
  }, 60_000);
  afterAll(() => consortium?.stop());

  /** The end of a scan of its own: the same scan joins the one before until that one's job is complete, just after its report. */
  const scan = (data: Readonly<Record<string, unknown>>) =>
    waitFor('a scan that joins no other', async () => {
      const desk = consortium.at('lending');
      const { eventId, body } = await desk.scan(data);
      const end = await desk.follow(eventId);
      return body['joined'] === true ? null : end;
    });

  test('a scan makes a copy and a checkout, a second finds both, and an unknown card is not found', async () => {
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

  test('a replaced card finds the copy and is written onto it, and its attributes stay', async () => {
    const { home, lending } = consortium.doubles;
    const card = registerPatron(home);
    expect(await scan({ cardnumber: card, item_barcode: null })).toMatchObject({ outcome: 'COPIED' });
    const attributes = lending.state(card).patrons[0]?.extended_attributes;
    const replaced = `${card}-2`;
    home.putPatron(card, { cardnumber: replaced });
    const again = await scan({ cardnumber: replaced, item_barcode: null });
    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(lending.state(card).patrons).toEqual([]);
    expect(lending.state(replaced).patrons[0]?.extended_attributes).toEqual(attributes);
  });

  test('a copy that Koha anonymised is not taken for the patron', async () => {
    const { home, lending } = consortium.doubles;
    const card = registerPatron(home);
    await scan({ cardnumber: card, item_barcode: null });
    const gone = lending.anonymizePatron(card);
    const state = await scan({ cardnumber: card, item_barcode: shelveBook(lending) });
    expect(state).toMatchObject({
      outcome: 'COPY_ANONYMIZED',
      patron_id: gone?.patron_id,
      checkout: { result: 'NOT_ASKED' },
    });
    const kept = lending.state().patrons.find((patron) => patron.patron_id === gone?.patron_id);
    expect(kept).toMatchObject({ anonymized: true, firstname: null, cardnumber: gone?.cardnumber });
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
    // The file is of no single release: 26.05's override can silence the mail to the library's staff, too, and before
    // 25.11 anonymising empties a column that is an enum since.
    const later = isFrom(release, '26.05') ? /^x-koha-override: a value that is not in the list$/ : /^$/;
    const earlier = isFrom(release, '25.11') ? /^$/ : /check_previous_checkout: enum /;
    const misfits = checked.flatMap(({ call, request = [], answer = [] }) =>
      [...request, ...answer]
        .filter((misfit) => !later.test(misfit) && !earlier.test(misfit))
        .map((misfit) => `${call}: ${misfit}`),
    );
    expect(misfits).toEqual([]);
  });
});
