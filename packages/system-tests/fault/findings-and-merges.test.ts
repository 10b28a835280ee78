import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { runPassport } from '../harness/run-passport.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

const HOMES = ['midland', 'lakeside'] as const;
type Home = (typeof HOMES)[number];
type Id = Home | 'riverside';

/** Copies of each home; 5,000 in all each night (`NIGHTLY`). */
const EACH = process.env['NIGHTLY'] ? 2_500 : 110;
/** Of a home that has lost more, nobody counts as gone: 10 or 2 %. */
const MERGED = EACH === 110 ? 10 : 50;
const MOST_MS = EACH === 110 ? 60_000 : 900_000;

/** What is to be found of a copy; null: nothing that somebody has to look at. */
type Expected = 'HOME_MERGED' | 'HOME_RESTRICTED' | 'HOME_CARD_LOST' | 'HOME_GONE' | 'NOT_SHARED' | null;

interface Listed {
  readonly findings: readonly {
    readonly patron_id: number;
    readonly home_key: string;
    readonly finding: string;
    readonly since: string;
  }[];
}

let consortium: Consortium<Id>;
/** By number of the copy. */
const expected = new Map<number, Expected>();
/** The home keys that copies are to have in the end, by number of the copy. */
const rekeyed = new Map<number, string>();

beforeAll(async () => {
  const plan = { koha: { settings: { plugin: true } }, reports: false };
  const entry = { refresh: { sweep: '02:00' }, limits: { refreshes_per_hour: 100_000 } };
  consortium = await startConsortium<Id>({
    libraries: { midland: plan, lakeside: plan, riverside: { koha: plan.koha, entry } },
    workers: 3,
  });
  for (const home of HOMES) for (let index = 0; index < EACH; index += 1) putCopy(home, index);
  // As an operator has copies followed that were made before there were records.
  const { code, out } = await passport('copies', 'adopt', '--at', 'riverside', '--apply', '--json');
  expect([code, JSON.parse(out)]).toMatchObject([0, { counts: { adopted: 2 * EACH } }]);
  for (const home of HOMES) for (let index = 0; index < EACH; index += 1) happens(home, index);
}, MOST_MS);
afterAll(() => consortium?.stop());

const passport = (...args: string[]) => runPassport(args, { env: consortium.services.env });
const cardOf = (home: Home, index: number): string => `${home}-${index}`;
const personOf = (home: Home, index: number) => ({
  surname: `Name ${home}`,
  firstname: `Ada ${index}`,
  date_of_birth: `${1930 + (index % 70)}-02-03`,
  email: `p${index}@${home}.example`,
  expiry_date: '2030-01-01',
  library_id: 'MAIN',
});
const numberOf = (at: Id, card: string): number =>
  Number(consortium.doubles[at].state(card).patrons[0]?.['patron_id']);

function putCopy(home: Home, index: number): void {
  const { doubles } = consortium;
  const [card, person] = [cardOf(home, index), personOf(home, index)];
  const { patron_id: number } = doubles[home].putPatron(card, { ...person, category_id: 'AD' });
  doubles.riverside.putPatron(card, {
    ...person,
    category_id: 'PT',
    extended_attributes: [
      { type: 'PASSPORTED', value: home },
      { type: 'PASSPORTED_ID', value: `${home}:${number}` },
    ],
  });
}

/** What becomes of a patron at home: of the first ones merges, of the others all else in turn, and of most nothing. */
function happens(home: Home, index: number): void {
  const koha = consortium.doubles[home];
  const card = cardOf(home, index);
  const copy = numberOf('riverside', card);
  if (index < MERGED) {
    // Every third of them was merged into the record of somebody else.
    const other = index % 3 === 2 ? { firstname: 'Bea' } : {};
    koha.putPatron(`kept-${card}`, { ...personOf(home, index), category_id: 'AD', ...other });
    koha.mergePatron(card, `kept-${card}`);
    koha.putPatron(`kept-${card}`, { cardnumber: card });
    expected.set(copy, index % 3 === 2 ? 'HOME_MERGED' : null);
    if (index % 3 !== 2) rekeyed.set(copy, `${home}:${numberOf(home, card)}`);
    return;
  }
  const turn = index % 10;
  if (turn === 0) koha.putPatron(card, { restricted: true });
  if (turn === 1) koha.putPatron(card, { patron_card_lost: true });
  if (turn === 2) koha.anonymizePatron(card);
  if (turn === 3) koha.putPatron(card, { extended_attributes: [{ type: 'PASSPORTED', value: 'hilltop' }] });
  const found = ['HOME_RESTRICTED', 'HOME_CARD_LOST', 'HOME_GONE', 'NOT_SHARED'] as const;
  expected.set(copy, found[turn] ?? null);
}

interface Report {
  readonly id: string;
  readonly ended_ms: number | null;
  readonly homes: Readonly<Record<string, { readonly copies: number; readonly fields_changed: number }>>;
}
const readReport = async (): Promise<Report | null> => {
  const text = await consortium.redis.call('GET', '{passport}:sweep:riverside');
  return typeof text === 'string' ? (JSON.parse(text) as Report) : null;
};
const copiesIn = (report: Report | null): number =>
  Object.values(report?.homes ?? {}).reduce((sum, { copies }) => sum + copies, 0);
const list = async (): Promise<Listed['findings']> => {
  const { code, out } = await passport('copies', 'findings', '--at', 'riverside', '--json');
  expect(code).toBe(1);
  return (JSON.parse(out) as Listed).findings;
};
/** The copies that have a receipt of their new home key, by number, each as often as it has one. */
const receipts = async (): Promise<readonly string[]> => {
  const { out } = await passport('copies', 'export', '--json');
  const all = (JSON.parse(out) as { receipts: { what: string; patron_id: number }[] }).receipts;
  return all.flatMap(({ what, patron_id: id }) => (what === 'rekeyed' ? [String(id)] : []));
};

test(
  'each copy is found right, and none twice, where workers die under the sweep; a second one changes nothing',
  async () => {
    const { services, doubles } = consortium;
    const sweep = passport('copies', 'refresh', '--at', 'riverside', '--full');
    const half = await waitFor(
      'half of the sweep',
      async () => {
        const report = await readReport();
        return copiesIn(report) >= EACH ? report : undefined;
      },
      { timeoutMs: MOST_MS, everyMs: 5 },
    );
    expect(half.ended_ms).toBeNull();
    // Whichever of the three has it.
    await Promise.all(services.workers.map((worker) => worker.kill()));
    await services.workers[0]?.restart();
    await services.workers[1]?.restart();
    await sweep;
    expect((await readReport())?.id).toBe(half.id);

    const found = await list();
    const wanted = [...expected].flatMap(([id, finding]) => (finding === null ? [] : [`${id} ${finding}`]));
    expect(found.map(({ patron_id: id, finding }) => `${id} ${finding}`).toSorted()).toEqual(
      wanted.toSorted(),
    );
    const keys = doubles.riverside.state().patrons.flatMap(({ patron_id: id, extended_attributes }) => {
      const key = extended_attributes.find(({ type }) => type === 'PASSPORTED_ID')?.value;
      return rekeyed.has(id) ? [[id, key] as const] : [];
    });
    expect(new Map(keys)).toEqual(rekeyed);
    expect((await receipts()).toSorted()).toEqual(Array.from(rekeyed.keys(), String).toSorted());

    doubles.riverside.clearCalls();
    await passport('copies', 'refresh', '--at', 'riverside', '--full');
    expect(await list()).toEqual(found.map((each) => ({ ...each, new: false })));
    expect(await receipts()).toHaveLength(rekeyed.size);
    const changed = Object.values((await readReport())?.homes ?? {}).map(
      ({ fields_changed }) => fields_changed,
    );
    expect(changed).toEqual([0, 0]);
    const writes = doubles.riverside
      .calls()
      .filter(({ operation }) => /^(?:PUT|PATCH|POST) \/patrons/.test(operation ?? ''));
    expect(writes).toEqual([]);
  },
  2 * MOST_MS + 200_000,
);
