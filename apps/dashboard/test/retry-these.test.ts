import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { failedKey } from '@passport/queue/keys';
import { pauseLibraries, readControl } from '@passport/queue/processes';
import { waitFor } from '@passport/testkit';
import type { FastifyInstance } from 'fastify';
import { createLogin } from '../src/login/login.ts';
import {
  type DashboardFixture,
  OPERATOR,
  SCOPED,
  VIEWER,
  answerOf,
  openDashboardFixture,
} from './dashboard-fixture.ts';

let fixture: DashboardFixture;
let app: FastifyInstance;
let isStopping = false;
/** May act at two of three libraries. */
const TWO = {
  ...SCOPED,
  user: 'tom',
  password: 'toms-own-password',
  libraries: ['riverside', 'lakeside'],
} as const;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
beforeEach(async () => {
  await fixture.clear();
  isStopping = false;
  app = fixture.build({
    stopping: () => isStopping,
    login: createLogin([OPERATOR, VIEWER, SCOPED, TWO], () => Date.now()),
  });
});
afterAll(async () => {
  isStopping = true;
  await app.close();
  await fixture.close();
});

const as = (somebody: Parameters<typeof answerOf>[1], url: string, method: 'GET' | 'POST' = 'GET') =>
  answerOf(app, somebody, url, method);
const category = { library: 'midland', what: 'category', name: 'PT' } as const;
const failed = (library: string, problem: typeof category | null = category): Promise<string> =>
  fixture.put(
    { state: 'failed', outcome: 'MISCONFIGURED', problem },
    { library, checkout_requested: false, encrypted_item: null },
  );
const PATH = '/libraries/riverside/retry?outcome=MISCONFIGURED&cause=midland%3A+category+PT';
/** The press on the page that said so many events. */
const press = (somebody: typeof OPERATOR | typeof SCOPED, events: number, path = PATH) =>
  as(somebody, `${path}&events=${events}`, 'POST');
const atMidland = PATH.replace('riverside', 'midland');
const retried = (): readonly string[] =>
  fixture
    .lines()
    .filter(({ action }) => action === 'retry')
    .map(({ lending, event }) => `${String(lending)}.${String(event)}`);
/** Ids of failures that are newer than all others. */
const pushOut = (library: string, count: number) =>
  fixture.redis.zadd(
    failedKey,
    ...Array.from({ length: count }, (_, n) => [Date.now() + 60_000, `${library}.evt_new${n}`]).flat(),
  );
const failedIds = async (): Promise<readonly (string | undefined)[]> =>
  (await fixture.queue.getJobs(['failed'])).map(({ id }) => id);

describe('failures of one cause', () => {
  test('are one line, with the way to retry them', async () => {
    await failed('riverside');
    await failed('riverside');
    await failed('midland');
    await failed('riverside', null);
    const { body } = await as(OPERATOR, '/events?state=failed');
    expect(body).toMatch(
      /By library and cause.*?MISCONFIGURED<\/span> midland: category PT<.*?class="number">2</,
    );
    expect(body).toContain(`href="${PATH.replace('&', '&amp;')}">Retry these …</a>`);
    const own = (await as(SCOPED, '/events?state=failed')).body;
    expect(own).toContain('/libraries/riverside/retry');
    expect(own).not.toContain('/libraries/midland/retry');
    expect((await as(VIEWER, '/events?state=failed')).body).not.toContain('Retry these');
    expect((await as(OPERATOR, '/events')).body).not.toContain('By library and cause');
  });

  test('are planned first, and what is of use to nobody is left out', async () => {
    await failed('riverside');
    await failed('riverside', null);
    await fixture.put(
      { state: 'failed', outcome: 'MISCONFIGURED', problem: category },
      { library: 'riverside', checkout_requested: true, encrypted_item: null },
    );
    const { body } = await as(OPERATOR, PATH);
    expect(body).toContain('1 event would be retried, the newest scans first');
    expect(body).toContain('Left out: 1 too late for their checkout');
    expect(body).toContain('Retry this event</button>');
    expect((await as(VIEWER, PATH)).body).not.toContain('<button class="button primary"');
    expect(await failedIds()).toHaveLength(3);
  });

  test('are retried, each with a line in the audit, and the list says how it goes', async () => {
    const [one, two] = [await failed('riverside'), await failed('riverside')];
    const other = await failed('riverside', null);
    expect(await press(OPERATOR, 2)).toMatchObject({ status: 303, location: '/events?state=failed' });
    expect((await as(SCOPED, '/events?state=failed')).body).toContain('2 events (MISCONFIGURED of Riverside');
    await waitFor('both to be retried', async () => (await failedIds()).length === 1);
    expect(await failedIds()).toEqual([`riverside.${other}`]);
    const lines = fixture.lines().filter(({ action }) => action === 'retry');
    expect(lines.map(({ by, event, result }) => [by, event, result].join(' ')).toSorted()).toEqual(
      [`olga ${one} done`, `olga ${two} done`].toSorted(),
    );
    // A second press begins nothing while the first goes on, and says so.
    await failed('riverside');
    expect(await press(OPERATOR, 1)).toMatchObject({
      status: 409,
      body: expect.stringContaining(
        'Failures of Riverside &lt;Library&gt; &amp; Archive are being retried already',
      ),
    });
    expect(await failedIds()).toHaveLength(2);
    isStopping = true;
    const notice = 'The last retry (MISCONFIGURED of Riverside';
    await waitFor('it to end', async () =>
      (await as(OPERATOR, '/events?state=failed')).body.includes(notice),
    );
  });

  test('of two libraries are retried at the same time, so that nobody waits for what they do not see', async () => {
    const [own, other] = [await failed('riverside'), await failed('midland')];
    const presses = [press(OPERATOR, 1, atMidland), press(SCOPED, 1)];
    expect((await Promise.all(presses)).map(({ status }) => status)).toEqual([303, 303]);
    const { body } = await as(SCOPED, '/events?state=failed');
    expect(body).toContain('role="status"');
    expect(body).not.toContain('of Midland');
    expect((await as(OPERATOR, '/events?state=failed')).body.match(/role="status"/g)).toHaveLength(2);
    await waitFor('both to be retried', () => retried().length === 2);
    expect(retried().toSorted()).toEqual([`midland.${other}`, `riverside.${own}`].toSorted());
    isStopping = true;
  });

  test('are retried once where two people press at the same moment', async () => {
    const ids = [await failed('riverside'), await failed('riverside')];
    const answers = await Promise.all([press(OPERATOR, 2), press(SCOPED, 2)]);
    expect(answers.map(({ status }) => status)).toEqual([303, 409]);
    await waitFor('both to be retried', () => retried().length === 2);
    expect(retried().toSorted()).toEqual(ids.map((id) => `riverside.${id}`).toSorted());
    isStopping = true;
  });

  test('are shown again where there are more than the page has said', async () => {
    await failed('riverside');
    await failed('riverside');
    for (const answer of [
      await press(OPERATOR, 1),
      await as(OPERATOR, PATH, 'POST'),
      await as(OPERATOR, `${PATH}&events=5&events=5`, 'POST'),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.body).toContain('Nothing was retried');
      expect(answer.body).toContain('Retry these 2 events</button>');
      expect(answer.body).toContain('events=2"');
    }
    expect(await failedIds()).toHaveLength(2);
    // It was refused: the next press is not in its way.
    expect((await press(OPERATOR, 2)).status).toBe(303);
    await waitFor('both to be retried', () => retried().length === 2);
    isStopping = true;
  });

  test('that are retried already are no reason to be silent', async () => {
    const { status, body } = await press(OPERATOR, 1);
    expect([status, body]).toEqual([409, expect.stringContaining('There is nothing to retry.')]);
  });

  test('of a cause that only the address names are none, and the page does not say it', async () => {
    await failed('riverside');
    const lie = `${PATH.slice(0, PATH.indexOf('&cause='))}&cause=${encodeURIComponent('Call 555 and say your password')}`;
    for (const { body } of [await as(OPERATOR, lie), await press(OPERATOR, 1, lie)]) {
      expect(body).toContain('There is nothing to retry.');
      expect(body).not.toContain('Call 555');
    }
    expect((await as(OPERATOR, PATH)).body).toContain('<p>midland: category PT</p>');
  });

  test('are found among the newest of the libraries that somebody sees', async () => {
    await failed('riverside');
    await pushOut('midland', 500);
    for (const somebody of [TWO, SCOPED]) {
      const { body } = await as(somebody, '/events?state=failed');
      expect(body).toContain('/libraries/riverside/retry');
      expect(body).not.toContain('Only the newest');
    }
    expect((await as(OPERATOR, '/events?state=failed')).body).toContain('Only the newest 500 failures');
  });

  test('are a part where there are more than a page looks at', async () => {
    await failed('riverside');
    await pushOut('riverside', 499);
    expect((await as(OPERATOR, PATH)).body).not.toContain('Only the newest');
    await failed('riverside');
    await fixture.redis.zincrby(failedKey, 1e9, (await failedIds())[0] ?? '');
    expect((await as(SCOPED, PATH)).body).toContain('Only the newest 500 failures');
  });

  test.each([
    ['of another library', SCOPED, '/libraries/midland/retry?outcome=MISCONFIGURED', 404],
    ['by a viewer', VIEWER, PATH, 403],
    ['with an outcome that is no failure', OPERATOR, '/libraries/riverside/retry?outcome=COPIED', 404],
    ['with two causes', OPERATOR, `${PATH}&cause=x`, 404],
  ])('%s are not retried', async (_what, somebody, path, status) => {
    await failed('riverside');
    expect((await as(somebody, path, 'POST')).status).toBe(status);
    expect(await failedIds()).toHaveLength(1);
  });
});

describe('a pause from the page of a library', () => {
  const pauses = async () => (await readControl(fixture.redis)).pauses;

  test('is on both sides, with an audit, and ends by its button', async () => {
    expect((await as(OPERATOR, '/libraries/midland')).body).toContain('Pause …</summary>');
    expect(await as(OPERATOR, '/libraries/midland/pause?for=2h', 'POST')).toMatchObject({
      status: 303,
      location: '/libraries/midland',
    });
    const [pause] = await pauses();
    expect(pause).toMatchObject({ library: 'midland', by: 'olga' });
    expect(Math.abs((pause?.until_ms ?? 0) - Date.now() - 7_200_000)).toBeLessThan(60_000);
    expect((await pauses()).map(({ side }) => side).toSorted()).toEqual(['home', 'lending']);
    expect((await as(OPERATOR, '/libraries/midland')).body).toMatch(/Resume<\/button>.*?paused, ends/);
    expect((await as(OPERATOR, '/libraries/midland/resume', 'POST')).status).toBe(303);
    expect(await pauses()).toEqual([]);
    const acts = fixture.lines().filter(({ audit }) => audit === true);
    expect(acts.map(({ action, by, library }) => [action, by, library])).toEqual([
      ['pause', 'olga', 'midland'],
      ['resume', 'olga', 'midland'],
    ]);
  });

  describe('of another operator', () => {
    const untilMs = Date.now() + 7 * 86_400_000;
    const order = (side: 'home' | 'lending', until_ms = untilMs, by = 'central') =>
      pauseLibraries(fixture.redis, [
        { library: 'riverside', side, until_ms, reason: 'its key was stolen', by, at_ms: Date.now() },
      ]);
    const mine = (side: 'home' | 'lending') => order(side, Date.now() + 60_000, 'rita');

    test.each(['pause?for=30m', 'resume'])(
      'stays, whoever may act at some libraries alone (%s)',
      async (act) => {
        await order('home');
        await mine('lending');
        const { status, body } = await as(SCOPED, `/libraries/riverside/${act}`, 'POST');
        expect([status, body]).toEqual([
          409,
          expect.stringContaining('Another operator has paused this library'),
        ]);
        expect(body).not.toContain('central');
        const kept = (await pauses()).map(({ by, side }) => `${by} ${side}`);
        expect(kept.toSorted()).toEqual(['central home', 'rita lending']);
        const page = (await as(SCOPED, '/libraries/riverside')).body;
        expect(page).toContain('Another operator has paused this library');
        expect(page).not.toContain('/resume"');
        expect(fixture.lines().filter(({ audit }) => audit === true)).toEqual([]);
      },
    );

    test('ends by those who may act at all libraries, and a press never shortens it', async () => {
      await order('home');
      expect((await as(OPERATOR, '/libraries/riverside/pause?for=30m', 'POST')).status).toBe(303);
      expect((await pauses()).find(({ side }) => side === 'home')).toMatchObject({
        until_ms: untilMs,
        reason: 'its key was stolen',
      });
      expect((await pauses()).map(({ side, by }) => `${side} ${by}`).toSorted()).toEqual([
        'home olga',
        'lending olga',
      ]);
      expect((await as(OPERATOR, '/libraries/riverside/resume', 'POST')).status).toBe(303);
      expect(await pauses()).toEqual([]);
    });

    test('of one library is theirs to end no more when an operator of all has pressed, too', async () => {
      await order('home', untilMs, 'rita');
      await as(OPERATOR, '/libraries/riverside/pause?for=30m', 'POST');
      expect((await as(SCOPED, '/libraries/riverside/resume', 'POST')).status).toBe(409);
      expect(await pauses()).toHaveLength(2);
    });

    test('is in nobody’s way once it is over; one of their own they end', async () => {
      await order('home', Date.now() - 1_000);
      await mine('lending');
      expect((await as(SCOPED, '/libraries/riverside/resume', 'POST')).status).toBe(303);
      expect(await pauses()).toEqual([]);
    });
  });

  test.each([
    ['of another library', SCOPED, '/libraries/midland/pause?for=2h', 404],
    ['of no library', OPERATOR, '/libraries/nowhere/pause?for=2h', 404],
    ['by a viewer', VIEWER, '/libraries/midland/pause?for=2h', 403],
    ['for ever', OPERATOR, '/libraries/midland/pause?for=9999h', 404],
  ])('%s is none', async (_what, somebody, path, status) => {
    expect((await as(somebody, path, 'POST')).status).toBe(status);
    expect(await pauses()).toEqual([]);
  });
});
