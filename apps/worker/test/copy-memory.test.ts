import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KohaError } from '@passport/koha-client';
import { WRITTEN_FIELD, writtenText } from '@passport/patron-rules';
import { leakGuard, waitFor } from '@passport/testkit';
import { type CopyMemory, type WrittenCopy, buildCopyMemory } from '../src/koha/copy-memory.ts';
import { rememberTask } from '../src/maintenance/remember-task.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { ENCRYPTION, manualClock } from './builders.ts';
import { type WorkflowBench, consortiumOf, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const CARD = '21234000000017';

const { redis, log } = await openEmptyRedis();

interface Bench {
  readonly workflow: WorkflowBench;
  readonly memory: CopyMemory;
  /** Scans the card, with what it writes remembered. */
  scan(eventId?: string): Promise<void>;
  waiting(): Promise<number>;
}

async function open(): Promise<Bench> {
  const workflow = own(await openWorkflow());
  const { libraries } = workflow;
  const memory = buildCopyMemory({
    redis,
    keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
    libraries,
    now: Date.now,
    log,
  });
  return {
    workflow,
    memory,
    async scan(eventId = 'evt_1') {
      const remember = (written: WrittenCopy): void => memory.note(written);
      await workflow.run({ item: null, job: { event_id: eventId } }, { remember });
      await memory.settled();
    },
    waiting: () => redis.hlen('{passport}:unremembered:riverside'),
  };
}

const hashOf = (patronId: number, homeKey: string, field: string, value: string): string =>
  ENCRYPTION.hash(WRITTEN_FIELD, writtenText({ lending: 'riverside', patronId, homeKey }, field, value));

describe('what was written into a copy', () => {
  test('T-24 is remembered beside it by keyed hashes, and nothing of it in the clear', async () => {
    const { workflow, memory, scan, waiting } = await open();
    await scan();
    const inRedis = JSON.stringify(await redis.hgetall('{passport}:unremembered:riverside'));
    await memory.store('riverside');

    const { patrons, copies } = workflow.riverside.state();
    const copy = patrons.find(({ cardnumber }) => cardnumber === CARD);
    const patronId = copy?.patron_id ?? 0;
    const homeKey = String(copies[0]?.home_key);
    expect(copies).toMatchObject([{ patron_id: patronId, version: 1 }]);
    const fields = copies[0]?.fields as Record<string, { hash: string; event: string }>;
    expect(fields['surname']).toMatchObject({
      hash: hashOf(patronId, homeKey, 'surname', 'Okafor'),
      event: 'evt_1',
    });
    expect(fields['cardnumber']?.hash).toBe(hashOf(patronId, homeKey, 'cardnumber', CARD));
    expect(inRedis + JSON.stringify(copies)).not.toMatch(/Okafor|21234000000017/);
    expect(await waiting()).toBe(0);
  });

  test('says once that the copy was made, from where and which groups of fields went there, and never of a refresh', async () => {
    const { workflow, memory, scan } = await open();
    await scan();
    await memory.store('riverside');
    await scan('evt_2');
    await memory.store('riverside');
    const { told, copies } = workflow.riverside.state();
    const home = 'midland library';
    const groups = expect.arrayContaining(['card', 'name', 'birth']);
    expect(told).toEqual([[copies[0]?.patron_id, { home, groups }]]);
    const sent = workflow.riverside
      .calls()
      .filter(({ method, path }) => method === 'PUT' && path.includes('/copies/'));
    expect(sent).toHaveLength(1);
  });

  test('is stored later where the plugin failed, and the scan heard nothing of it', async () => {
    const { workflow, memory, scan, waiting } = await open();
    await scan();
    const operation = 'PUT /contrib/passport/copies/{patron_id}';
    workflow.riverside.addFaults([{ operation, times: 1, kind: 'reset_after' }]);
    await expect(memory.store('riverside')).rejects.toThrow(KohaError);
    expect(await waiting()).toBe(1);
    await memory.store('riverside');
    expect(await waiting()).toBe(0);
    expect(workflow.riverside.state().copies).toHaveLength(1);
  });

  test('waits for nobody where there is no plugin', async () => {
    const { workflow, memory, scan, waiting } = await open();
    await scan();
    workflow.riverside.putSettings({ plugin: false });
    await memory.store('riverside');
    expect(await waiting()).toBe(0);
  });

  test('is dropped where it is damaged', async () => {
    const { memory, scan, waiting, workflow } = await open();
    await scan();
    await redis.hset('{passport}:unremembered:riverside', '1.evt_damaged', '{"patron_id":1,');
    await memory.store('riverside');
    expect(await waiting()).toBe(0);
    expect(workflow.riverside.state().copies).toHaveLength(1);
  });

  test('T-27 of a card that was replaced is the new card alone', async () => {
    const { workflow, memory, scan } = await open();
    await scan();
    await memory.store('riverside');
    const before = workflow.riverside.state().copies[0]?.fields;
    workflow.midland.putPatron(CARD, { cardnumber: '21234000000099' });
    await workflow.run(
      { item: null, card: '21234000000099', job: { event_id: 'evt_2' } },
      { remember: (written) => memory.note(written) },
    );
    await memory.settled();
    await memory.store('riverside');

    const [row] = workflow.riverside.state().copies;
    const card = {
      hash: hashOf(row?.patron_id ?? 0, String(row?.home_key), 'cardnumber', '21234000000099'),
      event: 'evt_2',
    };
    expect(row).toMatchObject({ version: 2, fields: { cardnumber: card } });
    expect({ ...row?.fields, cardnumber: null }).toEqual({ ...before, cardnumber: null });
  });

  test('is remembered once for a copy that was there', async () => {
    const { memory, scan, waiting, workflow } = await open();
    await scan();
    await memory.store('riverside');
    await scan('evt_2');
    expect(await waiting()).toBe(0);
    expect(workflow.riverside.state().copies).toMatchObject([{ version: 1 }]);
  });
});

describe('the memory of copies gives way to desks', () => {
  /** A task whose library is busy as `busy` says, one look after the other; then idle. */
  function openTask({ workflow, memory }: Bench, busy: readonly boolean[]) {
    const looks = [...busy];
    const clock = manualClock();
    const consortium = consortiumOf([workflow.riverside, workflow.midland], {});
    const isBusy = (library: string): boolean => library === 'riverside' && (looks.shift() ?? false);
    return { clock, ...rememberTask({ consortium, memory, isBusy, monotonicNow: clock.now }) };
  }

  test('and stores what waits once they need nothing', async () => {
    const bench = await open();
    await bench.scan();
    const task = openTask(bench, [true, true, false, true]);
    const left: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await task.work();
      left.push(await bench.waiting());
    }
    // In the third round a scan comes between the look at what waits and its first row.
    expect(left).toEqual([1, 1, 1, 0]);
  });

  test('for ten minutes at most', async () => {
    const bench = await open();
    await bench.scan();
    const task = openTask(bench, [true, true, true, true]);
    await task.work();
    task.clock.forward(599_999);
    await task.work();
    expect(await bench.waiting()).toBe(1);
    task.clock.forward(1);
    await task.work();
    expect(await bench.waiting()).toBe(0);
  });
});

describe('the memory of copies of many libraries', () => {
  const ids = Array.from({ length: 40 }, (_, place) => `library-${place}`);
  const consortium = {
    libraries: ids.map((id) => ({ id, enabled: true, retry: { tellKoha: true } })),
  } as unknown as Parameters<typeof rememberTask>[0]['consortium'];
  const taskOf = (store: CopyMemory['store']) =>
    rememberTask({
      consortium,
      memory: { store, waiting: () => Promise.resolve(ids) },
      isBusy: () => false,
      monotonicNow: () => 0,
    });

  test('waits for none that does not answer, and calls 16 at once at most', async () => {
    const stored: string[] = [];
    let [now, most] = [0, 0];
    let answer = (): void => undefined;
    const silent = new Promise<void>((resolve) => (answer = resolve));
    const task = taskOf(async (lending) => {
      now += 1;
      most = Math.max(most, now);
      await (lending === 'library-0' ? silent : Promise.resolve());
      now -= 1;
      stored.push(lending);
    });
    const work = task.work();
    await waitFor('all others', () => stored.length === 39);
    answer();
    await work;
    expect(stored.at(-1)).toBe('library-0');
    expect(new Set(stored).size).toBe(40);
    expect(most).toBe(16);
  });

  test('says what is a fault of ours, after all others', async () => {
    const stored: string[] = [];
    const task = taskOf((lending) => {
      if (lending === 'library-3') return Promise.reject(new TypeError('a fault of ours'));
      stored.push(lending);
      return Promise.resolve();
    });
    await expect(task.work()).rejects.toThrow('a fault of ours');
    expect(stored).toHaveLength(39);
  });
});
