import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

let doubles: KohaDouble[];
let riverside: KohaDouble;
beforeAll(async () => {
  doubles = await Promise.all(
    ['midland', 'riverside', 'lakeside'].map((library) => startKohaDouble({ library, seed: 'empty' })),
  );
  riverside = doubles[1] as KohaDouble;
});
afterAll(() => Promise.all(doubles.map((double) => double.close())));
beforeEach(() => doubles.forEach((double) => double.clearFaults()));

const env = () => consortiumOf(doubles);
const list = (...args: string[]) => passport(['copies', 'list', ...args], env());
function putCopy(at: KohaDouble, card: string, homeKey: string, more: object = {}): number {
  at.putPatron(card, {
    surname: 'Planted-Okafor',
    date_enrolled: '2026-10-01',
    expiry_date: '2027-10-01',
    category_id: 'PT',
    extended_attributes: [
      { type: 'PASSPORTED', value: homeKey.split(':')[0] },
      { type: 'PASSPORTED_ID', value: homeKey },
    ],
    ...more,
  });
  return Number(at.state(card).patrons[0]?.patron_id);
}

test('copies are listed by home key, number, branch, category and dates, and without a name or card', async () => {
  riverside.putPatron('NATIVE-1', { surname: 'Planted-Native' });
  const one = putCopy(riverside, '21234000000017', 'midland:8');
  const two = putCopy(riverside, '9000000017', 'lakeside:8');
  const three = putCopy(doubles[2] as KohaDouble, '21234000000017', 'midland:8');
  const { code, out, err } = await list();
  expect(out.split('\n')).toEqual([
    'home_key,lending,patron_id,branch,category,expiry,since,on_record',
    `midland:8,riverside,${one},MAIN,PT,2027-10-01,2026-10-01,`,
    `lakeside:8,riverside,${two},MAIN,PT,2027-10-01,2026-10-01,`,
    `midland:8,lakeside,${three},MAIN,PT,2027-10-01,2026-10-01,`,
    '',
  ]);
  expect(code).toBe(0);
  const audits = err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { audit?: true })
    .filter(({ audit }) => audit === true);
  expect(audits).toMatchObject([
    { audit: true, action: 'copies_list', by: 'tester', lending: 'midland', copies: 0 },
    { lending: 'riverside', home: null, copies: 2 },
    { lending: 'lakeside', copies: 1 },
  ]);
  const of = jsonOf(await list('--at', 'riverside', '--of', 'midland', '--json'));
  expect(of).toMatchObject({ copies: [{ home_key: 'midland:8', patron_id: one }], failed: [] });
  expect(JSON.stringify(of) + out + err).not.toMatch(/Planted|21234000000017/);
});

test('a home key that staff typed is no formula in a spreadsheet', async () => {
  putCopy(riverside, 'F-1', '=HYPERLINK("u"):1');
  const { out } = await list('--at', 'riverside');
  expect(out).toContain(`"'=HYPERLINK(""u""):1",riverside,`);
  riverside.deletePatron('F-1');
});

test('T-29 copies of a home library that the configuration does not have are listed and reported', async () => {
  putCopy(riverside, 'R-1', 'old-midland:3');
  const { code, out, err } = await list('--at', 'riverside');
  expect(out).toContain('old-midland:3,riverside,');
  expect(code).toBe(0);
  expect(err).toContain(
    'HOME_UNKNOWN: 1 name the home library "old-midland", which the configuration does not have\n',
  );
  expect(jsonOf(await list('--json'))).toMatchObject({ unknown_homes: ['old-midland'] });
  riverside.deletePatron('R-1');
});

test('a library that does not answer is reported, and the others are listed', async () => {
  riverside.addFaults([{ operation: 'GET /patrons', times: 5, kind: 'status', status: 503 }]);
  const { code, out, err } = await list();
  expect(code).toBe(1);
  expect(out).toContain('midland:8,lakeside,');
  expect(err).toContain('`passport doctor riverside` says more');
});

test('an unknown library is wrong use', async () => {
  expect(await list('--at', 'nowhere')).toMatchObject({ code: 2, out: '' });
});

test('where no home key is written, copies are listed by their passport', async () => {
  const keyless = consortiumOf(
    doubles.map((double) => ({
      library: double.library,
      url: double.url,
      credentials: double.credentials,
      change: { copy: { home_key_attribute: null } },
    })),
  );
  const { copies } = jsonOf(
    await passport(['copies', 'list', '--at', 'riverside', '--of', 'midland', '--json'], keyless),
  ) as { copies: object[] };
  expect(copies).toEqual([
    expect.objectContaining({ home_key: null, home: 'midland', lending: 'riverside' }),
  ]);
});
