import { describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import type { AdmitEvents, AdmissionAnswer, AdmissionRequest } from '@passport/queue/admission';
import type { ReplicaCheck } from '@passport/queue/redis';
import { createLogger } from '@passport/runtime';
import { buildJob } from '@passport/testkit';
import { type EventSinkDeps, buildEventSink } from '../src/deliveries/event-sink.ts';

const DEADLINE_MS = 2_000;
const REDIS_NOW_MS = 1_795_597_200_000;

const question = (eventId: string): AdmissionRequest => ({
  mode: 'take',
  library: 'riverside',
  eventId,
  bodyHashes: [`key:${eventId}`],
  scanHash: `key:${eventId}`,
  limits: { eventsPerSecond: 50, burst: 200, backlog: 10_000, remembered: 100_000 },
});
const entered = (eventId: string, add = true): AdmissionAnswer => ({
  kind: add ? 'new' : 'duplicate',
  eventId,
  add,
  priority: 1,
  nowMs: REDIS_NOW_MS,
});
const jobOf = (eventId: string, receivedMs: number): JobData =>
  buildJob({ event_id: eventId, received_ms: receivedMs, age_at_delivery_ms: 0 });

type AdmitOne = (question: AdmissionRequest) => Promise<AdmissionAnswer>;
const allOf =
  (admit: AdmitOne): AdmitEvents =>
  (questions) =>
    Promise.all(questions.map(admit));

/** A sink over an admission and a queue of the test's own, with a clock that the test moves. */
function openSink(options: { admit?: AdmitOne; replicated?: ReplicaCheck; status?: string } = {}) {
  const added: JobData[][] = [];
  const clock = { ms: 0 };
  const deps = {
    redis: { status: options.status ?? 'ready' },
    queue: {
      async addBulk(jobs: readonly { data: JobData }[]) {
        added.push(jobs.map(({ data }) => data));
      },
    },
    admit: allOf(options.admit ?? (async ({ eventId }) => entered(eventId))),
    replicated: options.replicated ?? null,
    deadlineMs: DEADLINE_MS,
    monotonicNow: () => clock.ms,
    log: createLogger({ name: 'test', level: 'silent' }),
  };
  return { sink: buildEventSink(deps as unknown as EventSinkDeps), added, clock };
}

/** An admission that answers when the test says so. */
function admissionOnCall() {
  const held: (() => void)[] = [];
  const admit: AdmitOne = ({ eventId }) =>
    new Promise((resolve) => {
      held.push(() => resolve(entered(eventId)));
    });
  return {
    admit,
    waiting: () => held.length,
    answer: () => {
      for (const each of held.splice(0)) each();
    },
  };
}

const take = ({ sink }: ReturnType<typeof openSink>, count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => sink.take(question(`evt_${from + n}`), jobOf));
const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('the event sink', () => {
  test('events of one iteration share one add, 32 at most', async () => {
    const opened = openSink();
    await Promise.all(take(opened, 70));

    expect(opened.added.map((jobs) => jobs.length)).toEqual([32, 32, 6]);
  });

  test('what admission does not want added is not added', async () => {
    const opened = openSink({ admit: async ({ eventId }) => entered(eventId, eventId === 'evt_1') });
    const answers = await Promise.all(take(opened, 3));

    expect(opened.added.flat().map(({ event_id }) => event_id)).toEqual(['evt_1']);
    expect(answers.map(({ kind }) => kind)).toEqual(['duplicate', 'new', 'duplicate']);
  });

  test('a delivery that is only checked is never added', async () => {
    const opened = openSink();
    await opened.sink.check(question('evt_1'));

    expect(opened.added).toEqual([]);
  });

  test('T-35 the time of an event is when it came, not when Redis found time for it', async () => {
    const held = admissionOnCall();
    const opened = openSink({ admit: held.admit });
    const [answer] = take(opened, 1);
    await nextTick();
    opened.clock.ms = 1_500;
    held.answer();
    await answer;

    expect(opened.added[0]?.[0]?.received_ms).toBe(REDIS_NOW_MS - 1_500);
  });

  test('T-35 an admission that answers after the deadline adds nothing', async () => {
    const held = admissionOnCall();
    const opened = openSink({ admit: held.admit });
    const [answer] = take(opened, 1);
    await nextTick();
    opened.clock.ms = DEADLINE_MS;
    held.answer();

    expect(await answer).toEqual({ kind: 'unavailable' });
    expect(opened.added).toEqual([]);
  });

  test('without a connection nothing is sent', async () => {
    const held = admissionOnCall();
    const opened = openSink({ admit: held.admit, status: 'reconnecting' });

    expect(await Promise.all(take(opened, 2))).toEqual([{ kind: 'unavailable' }, { kind: 'unavailable' }]);
    expect(held.waiting()).toBe(0);
  });

  test('an event whose keys hold what is not ours is unavailable, and its neighbours are taken', async () => {
    const admit: AdmitOne = async ({ eventId }) =>
      eventId === 'evt_1' ? { kind: 'broken' } : entered(eventId);
    const opened = openSink({ admit });

    const answers = await Promise.all(take(opened, 3));

    expect(answers.map(({ kind }) => kind)).toEqual(['new', 'unavailable', 'new']);
    expect(opened.added.flat().map(({ event_id }) => event_id)).toEqual(['evt_0', 'evt_2']);
  });

  test('an admission that fails makes all of its round unavailable', async () => {
    const admit: AdmitOne = async ({ eventId }) => {
      if (eventId === 'evt_1') throw new Error('OOM command not allowed');
      return entered(eventId);
    };

    const answers = await Promise.all(take(openSink({ admit }), 3));

    expect(answers).toEqual(Array.from({ length: 3 }, () => ({ kind: 'unavailable' })));
  });

  test('with too few replicas what was queued is unavailable; refusals stand', async () => {
    const admit: AdmitOne = async ({ eventId }) =>
      eventId === 'evt_1' ? { kind: 'reused' } : entered(eventId, eventId === 'evt_0');
    const confirmed: unknown[] = [];
    const replicated: ReplicaCheck = async (events) => {
      confirmed.push(...events.map(({ eventId }) => eventId));
      return false;
    };

    const answers = await Promise.all(take(openSink({ admit, replicated }), 3));

    expect(answers.map(({ kind }) => kind)).toEqual(['unavailable', 'reused', 'unavailable']);
    expect(confirmed).toEqual(['evt_0', 'evt_2']);
  });

  test('replicas are not waited for where nothing was queued', async () => {
    const replicated: ReplicaCheck = async () => false;
    const opened = openSink({ admit: async () => ({ kind: 'backlog_full' }), replicated });

    expect(await Promise.all(take(opened, 2))).toEqual([{ kind: 'backlog_full' }, { kind: 'backlog_full' }]);
  });

  test('a Redis that does not answer is sent 4,000 events at most, and more once it has answered', async () => {
    const held = admissionOnCall();
    const opened = openSink({ admit: held.admit });
    const waiting = take(opened, 4_000);
    await nextTick();

    expect(await Promise.all(take(opened, 5, 4_000))).toEqual(
      Array.from({ length: 5 }, () => ({ kind: 'unavailable' })),
    );
    expect(held.waiting()).toBe(4_000);

    held.answer();
    expect(new Set((await Promise.all(waiting)).map(({ kind }) => kind))).toEqual(new Set(['new']));
    await nextTick();
    const [later] = take(opened, 1, 5_000);
    await nextTick();
    held.answer();
    expect((await later)?.kind).toBe('new');
  });
});
