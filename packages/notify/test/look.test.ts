import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Consortium } from '@passport/config';
import { openLedger } from '@passport/queue/ledger';
import { writeCertificate } from '@passport/queue/notices';
import { type LibraryHealth, writeHealth } from '@passport/queue/processes';
import { joinFingerprint } from '@passport/contract';
import { openInvitations } from '@passport/queue/joining';
import { openRefusedDeliveries } from '@passport/queue/service';
import { writeSetUp, writeSweep } from '@passport/queue/sweeps';
import { buildLook } from '@passport/notify';
import { createEncryption } from '@passport/runtime';
import { wantsOf } from '../src/look.ts';
import { HOUR_MS, type NotifyFixture, openNotifyFixture } from './notify-fixture.ts';

let fixture: NotifyFixture;
let nowMs: number;
beforeAll(async () => {
  fixture = await openNotifyFixture();
});
beforeEach(async () => {
  await fixture.clear();
  nowMs = Date.now();
  await announceReceiver();
});
afterAll(() => fixture.close());

/** As a receiver announces itself, which is live for ten seconds. */
const announceReceiver = () => {
  const note = JSON.stringify({ kind: 'receiver', version: '1.0.0', host: 'machine' });
  return fixture.redis.hset('{passport}:processes', 'receiver', `${nowMs} ${nowMs} ${note}`);
};
const DAY_MS = 24 * HOUR_MS;
const limits = { copiesPerHour: 2, missesPerHour: 3, verdictsPerHour: 3, refreshesPerHour: 2 };
const library = (id: string, change: object = {}) => ({
  id,
  name: `${id} library`,
  enabled: true,
  webhookSecrets: ['one'],
  limits,
  refresh: {},
  ...change,
});
const consortium = (change: object = {}): Consortium =>
  ({
    libraries: [library('midland'), library('riverside'), library('closed', { enabled: false })],
    notify: [fixture.endpointOf()],
    ...change,
  }) as unknown as Consortium;
const health = (change: Partial<LibraryHealth>): LibraryHealth => ({
  open: false,
  open_since_ms: null,
  last_success_ms: null,
  last_failure_ms: null,
  last_failure: null,
  answer_ms: null,
  waiting: 0,
  problem: null,
  reports_refused: null,
  report_taken_ms: null,
  at_ms: nowMs,
  ...change,
});
const look = async (of = consortium()) =>
  (await buildLook(of, fixture.redis)(nowMs)).map(({ topic, library: id, state, isWell, type }) => ({
    at: `${topic} ${id}`,
    state,
    isWell,
    type,
  }));
const news = async (of = consortium()) => (await look(of)).filter(({ isWell }) => !isWell);

test('all is well where nothing was seen', async () => {
  expect(await news()).toEqual([]);
});

test('a library that a worker has given up is away, with its fault beside it', async () => {
  const problem = { what: 'category', name: 'PT' } as const;
  await writeHealth(
    fixture.redis,
    'midland',
    'one',
    health({ open: true, last_failure: 'timeout', problem }),
  );
  await writeHealth(fixture.redis, 'closed', 'one', health({ open: true }));
  expect(await news()).toEqual([
    { at: 'library midland', state: 'away', isWell: false, type: 'library.away' },
    { at: 'set_up_fault midland', state: 'fault category PT', isWell: false, type: 'set_up.fault' },
  ]);
  const [away, fault] = (await buildLook(consortium(), fixture.redis)(nowMs)).filter(({ isWell }) => !isWell);
  expect(away).toMatchObject({
    text: 'does not answer (timeout). Scans that need it wait.',
    facts: { code: 'timeout' },
  });
  expect(fault?.text).toBe('refuses the service until its set-up is fixed: category PT.');
});

test('that a receiver refuses a library, and that a Koha takes no reports, is news of that library', async () => {
  const refused = { library: 'midland', reason: 'library', secondsAhead: 0, count: 1 } as const;
  await openRefusedDeliveries(fixture.redis).note([refused]);
  const reports = { since_ms: nowMs, last_ms: nowMs, code: 'not_found' };
  await writeHealth(fixture.redis, 'riverside', 'one', health({ reports_refused: reports }));
  expect(await news()).toEqual([
    { at: 'deliveries_refused midland', state: 'refused', isWell: false, type: 'deliveries.refused' },
    { at: 'reports_refused riverside', state: 'refused', isWell: false, type: 'reports.refused' },
  ]);
  const refusal = (await buildLook(consortium(), fixture.redis)(nowMs)).find(({ isWell }) => !isWell);
  expect(refusal?.text).toMatch(
    /^is refused by the receiver since .* \(once\): its plugin sends under the id of another library\. What to do: correct/,
  );
  expect(refusal?.section).toBe('passportunauthorized');
});

test('what is wrong with the service is one state, with what to do about the gravest first', async () => {
  await fixture.redis.del('{passport}:processes');
  await openRefusedDeliveries(fixture.redis).note([
    { library: 'unknown', reason: 'signature', secondsAhead: 0, count: 1 },
  ]);
  expect(await news()).toEqual([
    { at: 'service_fault null', state: 'no_receiver unknown_sender', isWell: false, type: 'service.fault' },
  ]);
  const service = (await buildLook(consortium(), fixture.redis)(nowMs)).find(({ isWell }) => !isWell);
  expect(service?.text).toMatch(/^No receiver is live: .* What to do: .* Deliveries under an id/);
});

test('a limit is reached with the last event that it lets through, and not for longer than the hour', async () => {
  const ledger = openLedger(fixture.redis);
  for (const id of ['one', 'two']) {
    expect(await news()).toEqual([]);
    await ledger.reserveQuota('riverside', id, limits);
  }
  const limit = (await buildLook(consortium(), fixture.redis)(nowMs)).find(({ isWell }) => !isWell);
  expect(limit).toMatchObject({
    topic: 'limit_reached',
    library: 'riverside',
    state: 'copies',
    type: 'limit.reached',
    section: 'passportcopieslimitreached',
    facts: { copies_per_hour: 2 },
  });
  nowMs += HOUR_MS + 1_000;
  expect(await news()).toEqual([]);
});

test.each([
  [15 * DAY_MS, []],
  [13.5 * DAY_MS, ['14']],
  [6.5 * DAY_MS, ['7']],
  [2.5 * DAY_MS, ['3']],
  [0.5 * DAY_MS, ['1']],
  [-1, ['expired']],
])('a certificate that ends in %d ms', async (leftMs, states) => {
  await writeCertificate(fixture.redis, 'midland', { until_ms: nowMs + leftMs, at_ms: nowMs });
  expect((await news()).map(({ state }) => state)).toEqual(states);
});

test('a sweep that has ended lately is reported in sums, without anybody in them', async () => {
  const home = {
    state: 'done',
    copies: 40,
    findings: { moved: 2 },
    fields_changed: 3,
    fields_kept: 1,
  } as const;
  const sweep = {
    id: 'sweep-1',
    job: 'sweep.1',
    library: 'midland',
    mode: 'full',
    dry_run: false,
    started_ms: nowMs - 60_000,
    ended_ms: null,
    after: 0,
    missing: 0,
    looked_up: 0,
    pages: 1,
    rows: 1,
    failed: null,
    unknown: {},
    homes: { riverside: home, lakeside: { ...home, state: 'down' } },
    copies_before: {},
    last_full_ms: null,
    last_ms: null,
  } as const;
  await writeSweep(fixture.redis, sweep);
  expect(await news()).toEqual([]);
  await writeSweep(fixture.redis, { ...sweep, ended_ms: nowMs });
  const found = (await buildLook(consortium(), fixture.redis)(nowMs)).find(({ isWell }) => !isWell);
  expect(found).toMatchObject({
    state: 'sweep-1',
    type: 'sweep.finished',
    facts: { copies: 80, fields_changed: 6, fields_kept: 2, homes: 2, homes_down: 1, findings: { moved: 4 } },
  });
  expect(JSON.stringify(found)).not.toContain('riverside:77');
  nowMs += 2 * HOUR_MS;
  expect(await news()).toEqual([]);
});

test('the last of many libraries is seen as the first', async () => {
  const libraries = Array.from({ length: 130 }, (_, place) => library(`library-${place}`));
  await writeHealth(fixture.redis, 'library-0', 'one', health({ open: true }));
  await writeHealth(fixture.redis, 'library-129', 'one', health({ open: true }));
  expect((await news(consortium({ libraries }))).map(({ at }) => at)).toEqual([
    'library library-0',
    'library library-129',
  ]);
});

test('nothing is looked at that nobody wants', async () => {
  await writeHealth(fixture.redis, 'midland', 'one', health({ open: true }));
  await writeHealth(fixture.redis, 'riverside', 'one', health({ open: true }));
  const wants = { topics: ['library'], libraries: ['riverside'] } as const;
  expect(await look(consortium({ notify: [fixture.endpointOf(wants)] }))).toEqual([
    { at: 'library riverside', state: 'away', isWell: false, type: 'library.away' },
  ]);
});

describe('what the nightly check of a set-up found', () => {
  const found = (
    code: 'category_unknown' | 'few_workers' | 'plugin_off',
    level: 'fault' | 'warning',
    name: string | null = null,
  ) => ({
    code,
    level,
    name,
  });
  const check = (...findings: ReturnType<typeof found>[]) =>
    writeSetUp(fixture.redis, 'midland', { at_ms: nowMs, findings, job: null, tries: 0 });
  const message = async () =>
    (await buildLook(consortium(), fixture.redis)(nowMs)).find(
      ({ topic, library: id }) => topic === 'set_up_fault' && id === 'midland',
    );

  test('is news where it is a fault, names it in words, and is gone once no check finds it', async () => {
    await check(found('few_workers', 'warning'));
    expect(await message()).toMatchObject({ isWell: true });
    await check(found('few_workers', 'warning'), found('category_unknown', 'fault', 'PT'));
    expect(await message()).toMatchObject({
      isWell: false,
      type: 'set_up.fault',
      state: 'fault category_unknown PT',
      section: 'passportsetupfault',
      text: "has faults in its set-up, by last night's check: its Koha lacks a patron category of copies (PT).",
      facts: { findings: { category_unknown: 1 } },
    });
    await check();
    expect(await message()).toMatchObject({ isWell: true, type: 'set_up.fixed' });
  });

  test('stands beside what a scan has met, and is short whatever a Koha says', async () => {
    await writeHealth(fixture.redis, 'midland', 'one', health({ problem: { what: 'category', name: 'PT' } }));
    await check(...Array.from({ length: 20 }, (_, place) => found('plugin_off', 'fault', `name ${place}`)));
    const seen = await message();
    expect(seen).toMatchObject({
      section: 'passportmisconfigured',
      facts: { problem: 'category', findings: { plugin_off: 20 } },
    });
    expect(seen?.text).toMatch(
      /^refuses the service until its set-up is fixed: category PT\. It has faults .*; and 15 more\.$/,
    );
    expect(seen?.text.length).toBeLessThan(800);
  });

  test('is news again once, when something else is found', async () => {
    const worker = await fixture.startProcess();
    const sent = async () => {
      const observation = await message();
      if (observation !== undefined) await fixture.round(worker, observation);
      return fixture.messages().map(({ type }) => type);
    };
    await check(found('category_unknown', 'fault', 'PT'));
    expect(await sent()).toEqual(['set_up.fault']);
    expect(await sent()).toEqual(['set_up.fault']);
    fixture.pass(24 * HOUR_MS);
    await check(found('plugin_off', 'fault'), found('category_unknown', 'fault', 'PT'));
    expect(await sent()).toEqual(['set_up.fault', 'set_up.fault']);
    await check();
    expect(await sent()).toEqual(['set_up.fault', 'set_up.fault', 'set_up.fixed']);
  });
});

test('a library that asks to join is news, once for each request, to endpoints of all libraries', async () => {
  const encryption = createEncryption([Buffer.from('a PASSPORT_KEY of thirty-two oct')]);
  const invitations = openInvitations(fixture.redis, encryption);
  const invitation = `inv_${'x'.repeat(22)}`;
  const times = { madeMs: nowMs, endsMs: nowMs + HOUR_MS };
  const named = { library: 'prairie', name: 'Prairie Library' };
  await invitations.add({
    invitation,
    ...named,
    token: 'planted-token',
    privateKey: 'planted-key',
    ...times,
  });
  expect(await news()).toEqual([]);
  await invitations.keep(invitation, 'planted-body');
  expect(await news()).toEqual([
    {
      at: 'join_request prairie',
      state: joinFingerprint('planted-body'),
      isWell: false,
      type: 'join.requested',
    },
  ]);
  const [said] = await buildLook(consortium(), fixture.redis)(nowMs);
  expect(JSON.stringify(said)).not.toMatch(/planted/);
  expect(said?.text).toMatch(/asks to join \(Prairie Library\)/);
  const some = { libraries: ['riverside'], topics: ['join_request'] } as const;
  expect(wantsOf({ ...some, topics: [...some.topics] }, 'join_request', 'prairie')).toBe(false);
});
