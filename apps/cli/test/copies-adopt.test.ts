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
    bench.put('riverside', 'TAKEN-2', {
      ...olderCopy('midland'),
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${taken}` },
      ],
    });
    const expected = {
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
    expect(ran).toMatchObject({ counts: { not_at_home: 2, other_person: 2 }, unknown_servers: ['ServerC'] });
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

  test('patrons whom their library does not share are not adopted', async () => {
    bench.put('midland', 'C-1', { extended_attributes: [{ type: 'SCHOOL', value: '1' }] });
    bench.put('riverside', 'C-1', olderCopy('ServerB'));
    const { midland, riverside } = bench.doubles;
    const env = consortiumOf(
      [midland, riverside].map(({ library, url, credentials }) => ({
        library,
        url,
        credentials,
        change: { share: { opt_out_attribute: 'SCHOOL' } },
      })),
    );
    const args = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', '--apply', '--json'];
    const ran = jsonOf(await passport(args, { ...bench.env(), ...env }));
    expect(ran).toMatchObject({ counts: { not_shared: 1 } });
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
