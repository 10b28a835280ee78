import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openDeliveryNotes } from '@passport/queue/notices';
import { type DashboardFixture, OPERATOR, SCOPED, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
beforeEach(() => fixture.clear());
afterAll(() => fixture.close());

const sectionAt = async (url: string, as: typeof OPERATOR | typeof SCOPED = OPERATOR): Promise<string> => {
  const { body } = await fixture.request({ url, as });
  const text = body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  return /Notifications (.*?)(?: Outcomes of| Statistics as)/.exec(text)?.[1] ?? '';
};
const fail = (endpoint: string, status: number | null, kind: 'failed' | 'gone' = 'failed') =>
  openDeliveryNotes(fixture.redis).noteFailure(endpoint, {
    at_ms: fixture.now() - 7_200_000,
    kind,
    status,
    code: status === null ? 'timeout' : null,
    address: '0123456789abcdef',
  });

test('endpoints that accept their messages are one line', async () => {
  expect(await sectionAt('/')).toMatch(/^No delivery fails \(ops, riverside-ops, lakeside-ops, /);
  await fixture.redis.hset('{passport}:notices', 'ops library midland', '{}');
  expect(await sectionAt('/')).toMatch(/; 1 message waits for the next attempt/);
});

test('one whose deliveries fail is shown with since when, the last answer and how many wait', async () => {
  await fail('ops', null);
  await fail('lakeside-ops', 410, 'gone');
  await fixture.redis.hset('{passport}:notices', 'ops library midland', '{}', 'ops library lakeside', '{}');
  const text = await sectionAt('/');
  const ago = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+, 2 hours ago`;
  expect(text).toMatch(new RegExp(`ops failing ${ago} no answer \\(timeout\\), ${ago} 2`));
  expect(text).toMatch(new RegExp(`lakeside-ops stopped ${ago} answered 410, ${ago} 0`));
  expect(text).toContain('riverside-ops accepts');
  // A library's page has those that are notified of it.
  expect(await sectionAt('/libraries/midland')).not.toContain('lakeside');
  expect(await sectionAt('/libraries/lakeside')).toContain('lakeside-and-riverside');
  const { body } = await fixture.request({ url: '/' });
  expect(body).not.toContain('0123456789abcdef');
});

test('a user of some libraries sees endpoints that are about these alone', async () => {
  for (const name of ['ops', 'riverside-ops', 'lakeside-ops', 'lakeside-and-riverside'])
    await fail(name, 500);
  for (const url of ['/', '/libraries/riverside']) {
    const text = await sectionAt(url, SCOPED);
    expect(text).toContain('riverside-ops failing');
    expect(text).not.toMatch(/lakeside| ops /);
  }
});

test('what another version has written about an endpoint is taken for nothing', async () => {
  await fixture.redis.hset('{passport}:notices:failing', 'ops', '{"since_ms":"x"}', 'riverside-ops', 'x');
  expect(await sectionAt('/')).toMatch(/^No delivery fails/);
});
