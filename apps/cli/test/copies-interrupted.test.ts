import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { only } from './doctor-fixture.ts';
import { type Ran as Printed, jsonOf } from './run-cli.ts';

let bench: CopiesBench;
beforeEach(async () => {
  bench = await startCopiesBench(undefined, { appendonly: true });
});
afterEach(() => bench.close());

const copyOf = (homeKey: string) => ({
  category_id: 'PT',
  expiry_date: '2020-01-31',
  extended_attributes: [
    { type: 'PASSPORTED', value: homeKey.split(':')[0] },
    { type: 'PASSPORTED_ID', value: homeKey },
  ],
});
/** A copy that the service has made, and written into. */
const putCopy = async (card: string, homeKey: string): Promise<number> => {
  const id = bench.put('riverside', card, copyOf(homeKey));
  bench.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key: homeKey, fields: {} });
  await bench.disclose('riverside', id, homeKey);
  return id;
};
const CARDS = ['C-1', 'C-2', 'C-3'];
const putCopies = (home = 'midland') =>
  Promise.all(CARDS.map((card, index) => putCopy(card, `${home}:${index + 1}`)));
const left = () => CARDS.filter((card) => bench.doubles.riverside.state(card).patrons.length > 0);
const called = (method: string, part: string): boolean =>
  bench.doubles.riverside.calls().some((call) => call.method === method && call.path.includes(part));
const slow = (operation: string, ms = 400) =>
  bench.doubles.riverside.addFaults([{ operation, times: 1, kind: 'delay', ms }]);
const DELETION = 'POST /contrib/passport/deletions';
const DELETE = ['copies', 'delete', '--at', 'riverside', '--expired', '--apply'];
const deletedKeys = async () =>
  (await bench.receipts()).filter(({ what }) => what === 'deleted').map(({ homeKey }) => homeKey);

/** Runs a command, and interrupts it when `isThere`. */
async function interrupt(args: readonly string[], isThere: () => boolean): Promise<Printed> {
  const stop = new AbortController();
  const ran = bench.run([...args, '--json'], { signal: stop.signal });
  await waitFor('the command to be at it', isThere);
  stop.abort();
  return ran;
}

const STOPPED = { code: 'interrupted', message: 'interrupted' };

describe('interrupted', () => {
  test.each([
    ['delete', DELETE, 'midland'],
    ['leave --by delete', ['copies', 'leave', '--of', 'lakeside', '--by', 'delete', '--apply'], 'lakeside'],
  ])(
    '%s ends after the copy in hand, which has its receipt, and says how to go on',
    async (_name, args, home) => {
      await putCopies(home);
      slow(DELETION);
      const ran = await interrupt(args, () => called('POST', '/deletions'));

      expect(jsonOf(ran)).toMatchObject({ applied: true, stopped: STOPPED, counts: { deleted: 1 } });
      expect(ran.code).toBe(1);
      expect(ran.err).toContain('stopping after the copy in hand; a second time ends at once\n');
      expect(ran.err).toContain('interrupted: stopped after these 1 copies; the others are as they were\n');
      expect(ran.err).toContain('repeat the command');
      expect(left()).toEqual(['C-2', 'C-3']);
      expect(await deletedKeys()).toEqual([`${home}:1`]);
      const again = await bench.run([...args, '--json']);
      expect(jsonOf(again)).toMatchObject({ stopped: null, counts: { deleted: 2 } });
      expect(await deletedKeys()).toHaveLength(3);
    },
  );

  test('a plan says that it is not whole, --list too', async () => {
    await putCopies();
    for (const more of [[], ['--list']]) {
      bench.clear();
      slow('GET /contrib/passport/deletions');
      const args = ['copies', 'delete', '--at', 'riverside', '--expired', ...more];
      const ran = await interrupt(args, () => called('GET', '/deletions'));
      expect(jsonOf(ran)).toMatchObject({ applied: false, stopped: STOPPED, copies: [] });
      expect(ran.code).toBe(1);
    }
    const numbers = await bench.run(['copies', 'delete', '--at', 'riverside', '--expired', '--list']);
    expect([numbers.code, numbers.out.trim().split('\n').length]).toEqual([0, 3]);
  });

  test('adopt ends after the copy in hand', async () => {
    for (const card of CARDS) {
      bench.put('midland', card, {});
      bench.put('riverside', card, {
        category_id: 'PT',
        extended_attributes: [{ type: 'PASSPORTED', value: 'ServerB' }],
      });
    }
    slow('POST /patrons/{patron_id}/extended_attributes');
    const args = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', '--apply'];
    const ran = await interrupt(args, () => called('POST', '/extended_attributes'));
    expect(jsonOf(ran)).toMatchObject({ stopped: STOPPED, counts: { adopted: 1 } });
    expect(ran.code).toBe(1);
    expect((await bench.json(args)).counts).toEqual({ adopted: 2 });
  });

  test('adopt has a line in the audit for the look-up at home that it was at', async () => {
    bench.put('midland', 'C-1', {});
    const extended_attributes = [{ type: 'PASSPORTED', value: 'ServerB' }];
    bench.put('riverside', 'C-1', { category_id: 'PT', extended_attributes });
    bench.doubles.midland.addFaults([{ operation: 'GET /patrons', times: 1, kind: 'delay', ms: 400 }]);
    const looked = () => bench.doubles.midland.calls().some(({ path }) => path.endsWith('/patrons'));
    const args = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland'];
    const ran = await interrupt(args, looked);
    expect(jsonOf(ran)).toMatchObject({ stopped: STOPPED, counts: { adopt: 1 } });
    expect(ran.err).toMatch(/"action":"copies_adopt".*"midland","card_hash":"/);
  });

  test('rekey ends after the copy in hand', async () => {
    const ids = CARDS.map((card) => bench.put('midland', card, {}));
    const copies = await Promise.all(CARDS.map((card, index) => putCopy(card, `old-mid:${ids[index]}`)));
    slow('PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}');
    const args = ['copies', 'rekey', '--from', 'old-mid', '--to', 'midland', '--apply'];
    const ran = await interrupt(args, () => called('PATCH', '/extended_attributes'));
    expect(jsonOf(ran)).toMatchObject({ stopped: STOPPED, counts: { rekeyed: 1 } });
    expect((await bench.json(args)).counts).toEqual({ rekeyed: 2 });
    const records = await bench.recordsOf('riverside', ...copies);
    expect(records.map((record) => record?.homeKey)).toEqual(ids.map((id) => `midland:${id}`));
  });

  test.each([
    ['release', (ids: number[]) => ['copies', 'release', ...ids.map(String), '--at', 'riverside', '--apply']],
    ['leave', () => ['copies', 'leave', '--of', 'midland', '--by', 'release', '--apply']],
  ])('%s --by release ends after the copy in hand', async (_name, argsOf) => {
    const args = argsOf(await putCopies());
    slow('DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}');
    const ran = await interrupt(args, () => called('DELETE', '/extended_attributes'));
    expect(jsonOf(ran)).toMatchObject({ stopped: STOPPED, counts: { released: 1 } });
    expect((await bench.json(args)).counts).toMatchObject({ released: 2 });
    expect(CARDS.map((card) => bench.attributesOf('riverside', card))).toEqual([{}, {}, {}]);
  });
});

describe('a lending Koha that is down', () => {
  test.each([
    ['delete', DELETE],
    ['adopt', ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', '--apply']],
    ['leave', ['copies', 'leave', '--of', 'midland', '--by', 'release', '--at', 'riverside', '--apply']],
    ['rekey', ['copies', 'rekey', '--from', 'old', '--to', 'midland', '--at', 'riverside', '--apply']],
  ])('makes %s say so, with what was not done', async (_name, args) => {
    bench.doubles.riverside.addFaults([{ operation: '*', times: 50, kind: 'reset_before' }]);
    const ran = await bench.run([...args, '--json']);
    expect(jsonOf(ran)).toMatchObject({
      stopped: null,
      counts: { failed: 1 },
      copies: [{ lending: 'riverside' }],
    });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^riverside: \S+ [^:]+: (reset|unreachable)/m);
  });

  test('is not taken for one with nothing to delete, and --list is not whole', async () => {
    bench.doubles.riverside.addFaults([{ operation: '*', times: 50, kind: 'reset_before' }]);
    const ran = await bench.run(['copies', 'delete', '--at', 'riverside', '--expired', '--list']);
    expect([ran.code, ran.out]).toEqual([1, '']);
    expect(ran.err).toContain('these are not all: repeat the command');
  });
});

describe('a deletion whose run has ended', () => {
  const begin = (id: number, homeKey: string, atMs: number) => {
    const deletion = { patronId: id, homeKey, eventId: `evt_${id}`, atMs };
    return bench.redis.call('HSET', '{passport}:deletions:riverside', String(id), JSON.stringify(deletion));
  };
  const begun = () => bench.redis.call('HVALS', '{passport}:deletions:riverside');

  test('has its receipt from the next run, with the time at which it was made', async () => {
    const [one = 0, two = 0] = await putCopies();
    bench.doubles.riverside.deletePatron('C-1');
    const atMs = Date.now() - 90_000;
    await begin(one, 'midland:1', atMs);
    const exported = await bench.run(['copies', 'export']);
    expect(exported.err).toContain(
      'riverside: 1 deletions without their receipts: repeat passport copies delete',
    );
    const ran = await bench.json(DELETE);
    expect(ran).toMatchObject({ code: 0, counts: { settled: 1, deleted: 2 } });
    expect(ran.copies[0]).toMatchObject({ patron_id: one, home_key: 'midland:1', finding: 'settled' });
    const receipts = (await bench.receipts()).filter(({ what }) => what === 'deleted');
    expect(receipts).toHaveLength(3);
    expect(receipts[0]).toMatchObject({ patronId: one, at: new Date(atMs).toISOString(), fields: [] });
    expect(await bench.recordsOf('riverside', one, two)).toEqual([null, null]);
    expect(await begun()).toEqual([]);
    expect((await bench.json(DELETE)).counts).toEqual({});
  });

  test('has none as long as the copy is there in a branch that our API user does not see', async () => {
    const id = await putCopy('C-1', 'midland:1');
    bench.doubles.riverside.putPatron('C-1', { library_id: 'EAST' });
    const seen = only('edit_borrowers', 'list_borrowers', 'delete_borrowers');
    bench.doubles.riverside.putSettings({ release: '26.05', ...seen });
    await begin(id, 'midland:1', Date.now() - 7_200_000);
    await bench.json(DELETE);
    expect(await deletedKeys()).toEqual([]);
    expect(left()).toEqual(['C-1']);
  });

  test('is waited for an hour where the copy is still there, and then forgotten', async () => {
    const id = await putCopy('C-1', 'midland:1');
    bench.doubles.riverside.putPatron('C-1', { expiry_date: '2099-01-31' });
    await begin(id, 'midland:1', Date.now() - 3_500_000);
    await bench.json(DELETE);
    expect(await begun()).toHaveLength(1);
    await begin(id, 'midland:1', Date.now() - 3_700_000);
    await bench.json(DELETE);
    expect(await begun()).toEqual([]);
    expect(await deletedKeys()).toEqual([]);
  });

  test('that takes place after the next run has begun has its receipt', async () => {
    const [one = 0] = await putCopies();
    await begin(one, 'midland:1', Date.now() - 1_000);
    slow('GET /contrib/passport/deletions');
    const ran = bench.json(DELETE);
    await waitFor('the plan to be read', () => called('GET', '/deletions'));
    bench.doubles.riverside.deletePatron('C-1');
    expect((await ran).counts).toMatchObject({ settled: 1, deleted: 2 });
    expect((await deletedKeys()).toSorted()).toEqual(['midland:1', 'midland:2', 'midland:3']);
  });

  test('without an answer is named as not settled, and no more than a hundred are begun', async () => {
    await putCopies();
    const look = 'GET /contrib/passport/deletions';
    bench.doubles.riverside.addFaults([
      { operation: DELETION, times: 1, kind: 'status', status: 500, after: true },
      { operation: look, times: 1, kind: 'delay', ms: 1 },
      { operation: look, times: 1, kind: 'status', status: 503 },
    ]);
    expect((await bench.json(DELETE)).counts).toEqual({ unsettled: 1, deleted: 2, settled: 1 });
    expect(await deletedKeys()).toHaveLength(3);

    await putCopy('C-1', 'midland:9');
    for (let id = 900_000; id < 900_100; id += 1) await begin(id, `midland:${id}`, Date.now());
    bench.doubles.riverside.addFaults([{ operation: look, times: 1, kind: 'status', status: 503 }]);
    const full = await bench.json(DELETE);
    expect([full.code, full.err]).toEqual([1, expect.stringContaining('too many deletions have no answer')]);
    expect(left()).toEqual(['C-1']);
  });

  test('has its receipt after an outage of Redis, which ends the run with what was done', async () => {
    await putCopies();
    slow(DELETION, 800);
    const ran = bench.run([...DELETE, '--json']);
    await waitFor('the first deletion', () => called('POST', '/deletions'));
    await bench.redis.kill('SIGKILL');
    const printed = await ran;
    expect(jsonOf(printed)).toMatchObject({ stopped: { code: 'redis' }, counts: { unsettled: 1 } });
    expect(printed.code).toBe(1);
    expect(printed.err).toMatch(/Redis \(\w+\): .*: stopped after these 1 copies/);
    await bench.redis.restart();
    expect(left()).toEqual(['C-2', 'C-3']);
    expect((await bench.json(DELETE)).counts).toEqual({ settled: 1, deleted: 2 });
    expect(await deletedKeys()).toHaveLength(3);
  }, 30_000);
});
