import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const ADOPT = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', 'Lake County=lakeside'];

/** A copy as the older plugin makes it: the server's name, and no home key. */
const olderCopy = (server: string, more: object = {}) => ({
  category_id: 'PT',
  extended_attributes: [{ type: 'PASSPORTED', value: server }],
  ...more,
});

// On 23.11 a list by attribute has the matching ones only.
describe.each(['23.11', '25.11'] as const)('adopt at a Koha %s', (release) => {
  let bench: CopiesBench;
  beforeEach(async () => {
    bench = await startCopiesBench(release);
  });
  afterEach(() => bench.close());

  const findingsOf = (copies: readonly Readonly<Record<string, unknown>>[]) =>
    Object.fromEntries(copies.map(({ patron_id: id, finding }) => [String(id), finding]));

  test('a copy of the older plugin gets its home key and names the library by its id, and only with --apply', async () => {
    const home = bench.put('midland', 'C-1', {});
    bench.put('riverside', 'C-1', olderCopy('ServerB'));
    bench.put('riverside', 'NATIVE', {});
    expect(await bench.json(ADOPT)).toMatchObject({ code: 0, applied: false, counts: { adopt: 1 } });
    expect(bench.writes('riverside')).toEqual([]);
    expect(await bench.json([...ADOPT, '--apply'])).toMatchObject({ code: 0, counts: { adopted: 1 } });
    expect(bench.attributesOf('riverside', 'C-1')).toEqual({
      PASSPORTED: 'midland',
      PASSPORTED_ID: `midland:${home}`,
    });
    expect(bench.attributesOf('riverside', 'NATIVE')).toEqual({});
    expect(await bench.json([...ADOPT, '--apply'])).toMatchObject({ code: 0, copies: [] });
  });

  test('doubtful ones are listed with their reason and left as they are', async () => {
    const put = (card: string, more: object = {}): number =>
      bench.put('riverside', card, olderCopy('ServerB', more));
    bench.put('midland', 'NAMED', { firstname: 'Planted-Bea' });
    bench.put('midland', 'BORN', { date_of_birth: '1990-01-01' });
    bench.put('midland', 'EMPTIED', { anonymized: true });
    bench.put('midland', 'THEIR-COPY', { extended_attributes: [{ type: 'PASSPORTED', value: 'x' }] });
    bench.put('midland', 'TEACHER', {});
    const taken = bench.put('midland', 'TAKEN', {});
    const keyed = bench.put('riverside', 'TAKEN-2', {
      ...olderCopy('midland'),
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${taken}` },
      ],
    });
    const expected = {
      [keyed]: 'not_at_home',
      [put('NAMED')]: 'other_person',
      [put('BORN', { date_of_birth: '1991-01-01' })]: 'other_person',
      [put('EMPTIED')]: 'home_anonymized',
      [put('THEIR-COPY')]: 'not_at_home',
      [put('NOWHERE')]: 'not_at_home',
      [put('TEACHER', { category_id: 'TEACHER' })]: 'other_category',
      [put('TAKEN')]: 'key_taken',
      [put('GDPR', { anonymized: true })]: 'anonymized',
      [bench.put('riverside', 'UNKNOWN', olderCopy('ServerC'))]: 'unknown_server',
    };
    const ran = await bench.json([...ADOPT, '--apply']);
    expect(ran.code).toBe(1);
    expect(findingsOf(ran.copies)).toEqual(expected);
    expect(ran).toMatchObject({ counts: { not_at_home: 3, other_person: 2 }, unknown_servers: ['ServerC'] });
    expect(bench.writes('riverside')).toEqual([]);
    const text = await bench.run(ADOPT);
    expect(text.out).toMatch(
      /\d+ {2}- {2}unknown_server: the passport names a server that --map does not have\n/,
    );
    expect(text.err).toContain('unknown server: "ServerC"');
  });

  test('names of servers are cleaned and cut: whoever may write patron attributes wrote them', async () => {
    bench.put('riverside', 'C-1', olderCopy(`Server\u202e\u0007C${'x'.repeat(200)}`));
    const { out, err } = await bench.run(ADOPT);
    expect(err).toContain(`unknown server: "Server C${'x'.repeat(52)}"`);
    expect(out + err).not.toContain('x'.repeat(53));
    const ran = await bench.json(ADOPT);
    expect(JSON.stringify(ran.copies)).not.toContain('x'.repeat(53));
    expect(ran).toMatchObject({ unknown_servers: [`Server C${'x'.repeat(52)}`] });
  });

  test('more names of servers than a person reads are counted', async () => {
    for (let index = 0; index < 25; index += 1) bench.put('riverside', `C-${index}`, olderCopy(`S${index}`));
    const { err } = await bench.run(ADOPT);
    expect(err.match(/unknown server: /g)).toHaveLength(20);
    expect(err).toContain('and 5 other unknown servers');
  });

  test('people marry, and what one of two records lacks speaks neither way', async () => {
    const born = { date_of_birth: '1990-01-01' };
    bench.put('midland', 'MARRIED', { surname: 'Planted-New', ...born });
    bench.put('riverside', 'MARRIED', olderCopy('ServerB', born));
    bench.put('lakeside', 'BARE', { date_of_birth: null });
    bench.put('riverside', 'BARE', olderCopy('Lake County', born));
    expect(await bench.json([...ADOPT, '--apply'])).toMatchObject({ code: 0, counts: { adopted: 2 } });
  });

  test('T-25 one bad record stops nobody, and a run that ended in between is finished by the next', async () => {
    for (const card of ['C-1', 'C-2', 'C-3', 'C-4']) {
      bench.put('midland', card, {});
      bench.put('riverside', card, olderCopy('ServerB'));
    }
    bench.put('riverside', 'C-2', { middle_name: 'x'.repeat(70_000) });
    const add = 'POST /patrons/{patron_id}/extended_attributes';
    bench.doubles.riverside.addFaults([{ operation: add, times: 1, kind: 'status', status: 500 }]);
    const ran = await bench.json([...ADOPT, '--apply']);
    expect(ran).toMatchObject({ code: 1, counts: { failed: 1, unreadable: 1, adopted: 2 } });
    expect(ran.err).toMatch(/^riverside: .*extended_attributes/m);
    const again = await bench.json([...ADOPT, '--apply']);
    expect(again.counts).toEqual({ adopted: 1, unreadable: 1 });
    expect(bench.attributesOf('riverside', 'C-1')).toMatchObject({ PASSPORTED: 'midland' });
  });

  test('a home library that is down is called three times, and the others are adopted', async () => {
    for (let index = 0; index < 6; index += 1) bench.put('riverside', `M-${index}`, olderCopy('ServerB'));
    bench.put('lakeside', 'L-1', {});
    bench.put('riverside', 'L-1', olderCopy('Lake County'));
    bench.doubles.midland.addFaults([{ operation: 'GET /patrons', times: 50, kind: 'status', status: 503 }]);
    const { counts } = await bench.json([...ADOPT, '--apply']);
    expect(counts).toEqual({ home_failed: 3, home_down: 3, adopted: 1 });
  });

  test('T-32 every look-up at home is one line of the audit with the hash of the card, and no name or card', async () => {
    bench.put('midland', '21234000000017', {});
    bench.put('riverside', '21234000000017', olderCopy('ServerB'));
    const { out, err } = await bench.run([...ADOPT, '--apply']);
    const audit = JSON.parse(err.split('\n')[0] ?? '') as object;
    expect(audit).toMatchObject({
      audit: true,
      action: 'copies_adopt',
      by: 'tester',
      lending: 'riverside',
      queried: 'midland',
      card_hash: expect.stringMatching(/\S{20}/),
      result: 'adopted',
    });
    expect(out + err).not.toMatch(/Planted|21234000000017/);
  });

  test('patrons whom their library does not share, and cards that are none of its own, are not adopted', async () => {
    bench.put('midland', 'C-1', { extended_attributes: [{ type: 'SCHOOL', value: '1' }] });
    bench.put('midland', 'C-2', {});
    for (const card of ['C-1', 'C-2']) bench.put('riverside', card, olderCopy('ServerB'));
    const { midland, riverside } = bench.doubles;
    const env = consortiumOf(
      [midland, riverside].map(({ library, url, credentials }) => ({
        library,
        url,
        credentials,
        change: { share: { opt_out_attribute: 'SCHOOL' }, cards: ['^C-1$'] },
      })),
    );
    const args = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', '--apply', '--json'];
    const ran = jsonOf(await passport(args, { ...bench.env(), ...env }));
    expect(ran).toMatchObject({ counts: { not_shared: 2 } });
  });

  test('a copy that changes between the look and the write is left to the next run', async () => {
    bench.put('midland', 'C-1', {});
    const id = bench.put('riverside', 'C-1', olderCopy('ServerB'));
    bench.doubles.midland.addFaults([{ operation: 'GET /patrons', times: 1, kind: 'delay', ms: 500 }]);
    const ran = bench.json([...ADOPT, '--apply']);
    const lists = () => bench.doubles.riverside.calls().filter(({ path }) => path.endsWith('/patrons'));
    await waitFor('both lists to be read', () => lists().length === 2);
    const elsewhere = [{ type: 'PASSPORTED', value: 'ServerC' }];
    bench.doubles.riverside.putPatron('C-1', { extended_attributes: elsewhere });
    expect(findingsOf((await ran).copies)).toEqual({ [id]: 'changed_meanwhile' });
    expect(bench.writes('riverside')).toEqual([]);
  });
});

describe('adopt', () => {
  let bench: CopiesBench;
  beforeEach(async () => {
    bench = await startCopiesBench();
  });
  afterEach(() => bench.close());

  test('calls a home library one by one, and never more than half of the time', async () => {
    for (let index = 0; index < 6; index += 1) {
      bench.put('midland', `C-${index}`, {});
      bench.put('riverside', `C-${index}`, olderCopy('ServerB'));
    }
    bench.doubles.midland.putSettings({ latency_ms: 40 });
    await bench.json(ADOPT);
    const calls = bench.doubles.midland.calls().filter(({ path }) => path.endsWith('/patrons'));
    const starts = calls.map(({ at }) => at);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(gaps).toHaveLength(5);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(70);
  });

  test.each([
    [['--map', 'ServerB'], /--map takes SERVER=LIBRARY/],
    [['--map', 'ServerB=nowhere'], /there is no library "nowhere"/],
    [['--map', 'ServerB=riverside'], /no agreement lets patrons of riverside borrow at riverside/],
  ])('%j is wrong use', async (map, says) => {
    const ran = await bench.run(['copies', 'adopt', '--at', 'riverside', ...map]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(says);
  });
});

describe('copies that have a home key and are not followed', () => {
  let bench: CopiesBench;
  beforeEach(async () => {
    bench = await startCopiesBench();
  });
  afterEach(() => bench.close());

  const person = { email: 'ada@midland.example', city: 'Midland', date_of_birth: '1990-01-01' };
  const keyed = (homeKey: string, more: object = {}) => ({
    category_id: 'PT',
    ...person,
    ...more,
    extended_attributes: [
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: homeKey },
    ],
  });
  const put = (card: string, more: object = {}): readonly [id: number, homeKey: string] => {
    const homeKey = `midland:${bench.put('midland', card, person)}`;
    return [bench.put('riverside', card, keyed(homeKey, more)), homeKey];
  };
  const adopt = (...more: string[]) => bench.json(['copies', 'adopt', '--at', 'riverside', ...more]);
  const rowOf = (id: number) =>
    bench.doubles.riverside.state().copies.find(({ patron_id: patronId }) => patronId === id);

  test('are adopted: on record, with a receipt, and the fields that equal those at home are remembered', async () => {
    const [id, homeKey] = put('C-1', { city: 'Edited here' });
    expect(await adopt()).toMatchObject({ code: 0, applied: false, counts: { adopt: 1 } });
    expect(bench.writes('riverside')).toEqual([]);
    expect(await bench.receipts()).toEqual([]);

    expect(await adopt('--apply')).toMatchObject({ code: 0, counts: { adopted: 1 } });
    const [receipt] = await bench.receipts();
    expect(receipt).toMatchObject({ what: 'adopted', homeKey, patronId: id, lending: 'riverside' });
    expect(receipt?.fields).toEqual(
      expect.arrayContaining(['surname', 'email', 'date_of_birth', 'cardnumber']),
    );
    expect(receipt?.fields).not.toContain('city');
    expect(Object.keys(rowOf(id)?.fields ?? {}).toSorted()).toEqual([...(receipt?.fields ?? [])].toSorted());
    expect(await bench.recordsOf('riverside', id)).toMatchObject([{ homeKey, agreed: null }]);
    expect(await adopt('--apply')).toMatchObject({ code: 0, copies: [] });
    expect(await bench.receipts()).toHaveLength(1);
  });

  test('have a receipt each time that they are adopted, however soon after the last one', async () => {
    const [id, homeKey] = put('C-1');
    await adopt('--apply');
    await bench.run(['copies', 'release', String(id), '--at', 'riverside', '--apply']);
    bench.doubles.riverside.putPatron('C-1', { extended_attributes: keyed(homeKey).extended_attributes });

    expect(await adopt('--apply')).toMatchObject({ code: 0, counts: { adopted: 1 } });

    const what = (await bench.receipts()).map((receipt) => receipt.what);
    expect(what).toEqual(['adopted', 'released', 'adopted']);
    expect(await bench.recordsOf('riverside', id)).toMatchObject([{ homeKey }]);
  });

  test('keep what the plugin remembers already', async () => {
    const [id, home_key] = put('C-1');
    const fields = {
      city: { hash: `k12345:${'x'.repeat(43)}`, at: 1, event: 'scan_1' },
      phone: { hash: `k12345:${'y'.repeat(43)}`, at: 1, event: 'scan_1' },
    };
    bench.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key, fields });
    await adopt('--apply');
    expect(rowOf(id)?.fields).toMatchObject({ phone: fields.phone, email: { event: `adopt-${id}` } });
    expect(rowOf(id)?.fields['city']).not.toEqual(fields.city);
  });

  test('are deleted and erased like any other from then on, and listed as adopted', async () => {
    const [id, homeKey] = put('C-1', { expiry_date: '2020-01-01' });
    // That our API user sees all branches.
    for (const at of ['riverside', 'lakeside'] as const) bench.put(at, 'ELSEWHERE', { library_id: 'EAST' });
    const command = ['copies', 'delete', '--at', 'riverside', '--expired'];
    expect((await bench.json(command)).counts).toEqual({ not_remembered: 1 });
    await adopt('--apply');
    expect((await bench.json(command)).counts).toEqual({ delete: 1 });
    expect((await bench.run(['export', '--patron', homeKey])).out).toMatch(/ {2}adopted {4}\d{4}-/);
    expect((await bench.run(['erase', homeKey, '--apply'])).code).toBe(0);
    expect(bench.doubles.riverside.state('C-1').patrons).toEqual([]);
    expect([await bench.receipts(), await bench.recordsOf('riverside', id)]).toEqual([[], [null]]);
  });

  test('stay as they are where card, number or person does not agree, or an own patron has the key', async () => {
    const other = `midland:${bench.put('midland', 'OTHER', person)}`;
    bench.put('midland', 'C-1', person);
    const wrongNumber = bench.put('riverside', 'C-1', keyed(other));
    const [renamed] = put('C-2', { firstname: 'Planted-Bea' });
    const [edited] = put('C-3');
    bench.doubles.riverside.putPatron('C-3', { cardnumber: 'OWN-3' });
    const [merged] = put('C-4', { date_enrolled: '2001-01-01' });
    bench.doubles.midland.putPatron('C-4', { date_enrolled: '2015-01-01' });
    const [own] = put('C-5', { category_id: 'TEACHER' });
    const ran = await adopt('--apply');
    expect(Object.fromEntries(ran.copies.map(({ patron_id: id, finding }) => [id, finding]))).toEqual({
      [wrongNumber]: 'other_number',
      [renamed]: 'other_person',
      [edited]: 'not_at_home',
      [merged]: 'merged',
      [own]: 'other_category',
    });
    expect(await bench.receipts()).toEqual([]);
    expect(bench.writes('riverside')).toEqual([]);
  });

  test('are finished by the next run where one ended in between', async () => {
    const [id, homeKey] = put('C-1');
    const operation = 'PUT /contrib/passport/copies/{patron_id}';
    bench.doubles.riverside.addFaults([{ operation, times: 9, kind: 'status', status: 503 }]);
    expect(await adopt('--apply')).toMatchObject({ code: 1, counts: { failed: 1 } });
    expect(await bench.recordsOf('riverside', id)).toEqual([null]);
    bench.doubles.riverside.clearFaults();
    expect(await adopt('--apply')).toMatchObject({ code: 0, counts: { adopted: 1 } });
    expect(await bench.recordsOf('riverside', id)).toMatchObject([{ homeKey }]);
    expect(await bench.receipts()).toHaveLength(1);
  });
});
