import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openRefusedDeliveries } from '@passport/queue/service';
import { type DashboardFixture, openDashboardFixture } from './dashboard-fixture.ts';

describe('the overview', () => {
  let fixture: DashboardFixture;
  beforeAll(async () => {
    fixture = await openDashboardFixture();
  });
  afterEach(() => fixture.clear());
  afterAll(() => fixture.close());
  const page = async (): Promise<string> =>
    (await fixture.request({ url: '/' })).body.replaceAll(/\s+/g, ' ');
  const announce = async (id: string, kind: string, ms = 0): Promise<void> => {
    const at = Date.now() - ms;
    const config = { hash: 'cccccccccccc', loaded_ms: at };
    const note = JSON.stringify({ kind, version: '7.8.9', host: '<machine>', config });
    await fixture.redis.hset('{passport}:processes', id, `${at} ${at} ${note}`);
  };

  test('says that no worker is running, however well the libraries look', async () => {
    await announce('r', 'receiver');
    expect(await page()).toMatch(
      /<h2 id="attention-title">Needs attention<\/h2> <p class="fault fault-grave"> <strong>Problem:<\/strong> no worker is live[^<]*<em>What to do:<\/em> docker compose up -d worker[^<]*<a href="\/runbook#passportnoworker">/,
    );
    await announce('w', 'worker');
    expect(await page()).not.toContain('<strong>Problem:</strong>');
  });

  test('says first of all which library the receiver refuses, since when and why, with a link', async () => {
    await announce('r', 'receiver');
    await announce('w', 'worker');
    const refused = { library: 'midland', reason: 'clock', secondsAhead: 600, count: 3 } as const;
    await openRefusedDeliveries(fixture.redis).note([refused]);
    const body = await page();
    expect(body).toMatch(
      /<a href="\/libraries\/midland">Midland Public Library<\/a> is refused by the receiver since [^<]*\(3 times\): its clock is 10 min(utes)? ahead\. <em>What to do:<\/em> synchronise the clock/,
    );
    expect(body.indexOf('attention-title')).toBeLessThan(body.indexOf('class="tiles"'));
    expect(body).not.toContain('every library that was needed answers');
  });

  test('shows each process with its version, machine and times, and those that are missing', async () => {
    await announce('w', 'worker');
    await announce('r', 'receiver', 120_000);
    const body = await page();
    expect(body).toMatch(/<dt>Workers<\/dt> <dd><span class="state state-up">1 live/);
    expect(body).toMatch(/<dt>Receivers<\/dt> <dd><span class="state state-open">none live/);
    expect(body).toMatch(
      /<th scope="row">worker<\/th>.*?>live<.*?7\.8\.9.*?&lt;machine&gt;.*?<code>cccccccccccc<\/code>/,
    );
    expect(body).toMatch(/<th scope="row">receiver<\/th>.*?>missing<.*?2 minutes ago/);
    expect(body).toMatch(/<dt>Redis<\/dt> <dd><span class="state state-up">answers<.*? MB, no limit set/);
  });

  test('has no figures of a Redis that does not give them', async () => {
    await fixture.server.call('ACL', 'SETUSER', 'default', '-info');
    const body = await page();
    await fixture.server.call('ACL', 'SETUSER', 'default', '+info');
    expect(body).toMatch(/<dt>Redis<\/dt> <dd><span class="state state-up">answers<\/span> <\/dd>/);
  });
});
