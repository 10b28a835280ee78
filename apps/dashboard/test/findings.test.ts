import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { noteFindings, readFindings } from '@passport/queue/copies';
import { type DashboardFixture, OPERATOR, VIEWER, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const PAGE = '/libraries/riverside/findings';
const page = async (as: typeof OPERATOR | typeof VIEWER = OPERATOR): Promise<string> => {
  const { body, statusCode } = await fixture.request({ url: PAGE, as });
  expect(statusCode).toBe(200);
  return body.replaceAll(/\s+/g, ' ');
};
const note = (patronId: number, open: readonly string[]) =>
  noteFindings(
    fixture.redis,
    'riverside',
    [{ patronId, homeKey: `midland:${patronId + 10}`, open }],
    Date.now(),
  );

test('the copies to look at: what it means, what to do, the commands, and a link into their Koha', async () => {
  expect(await page()).toContain('Nothing is open.');
  await note(402, ['HOME_GONE', 'HOME_RESTRICTED']);
  const body = await page();
  expect(body).toContain(
    'href="https://staff.riverside.example/cgi-bin/koha/members/moremember.pl?borrowernumber=402"',
  );
  expect(body).toContain('midland:412');
  expect(body).toContain('the patron has left the home library');
  expect(body).toContain('delete the copy, or release it');
  expect(body).toContain('passport copies delete --at riverside --gone');
  expect(body).toContain('>new</span>');
  expect(body.indexOf('HOME_GONE')).toBeGreaterThan(0);
});

test('an operator keeps a copy as it is, with a line of the audit; a viewer only looks', async () => {
  await note(402, ['HOME_RESTRICTED']);
  const keep = { method: 'POST', url: `${PAGE}/402/keep` } as const;
  expect(await page(VIEWER)).not.toContain('Keep as it is');
  expect((await fixture.request({ ...keep, as: VIEWER })).statusCode).toBe(403);
  expect(await page()).toContain('Keep as it is');
  const kept = await fixture.request(keep);
  expect([kept.statusCode, kept.headers.location]).toEqual([303, PAGE]);
  expect(await readFindings(fixture.redis, 'riverside')).toMatchObject([{ isKept: true }]);
  expect(await page()).toContain('1 kept as they are');
  const acts = fixture.lines().filter(({ action }) => action === 'copies_findings');
  expect(acts).toMatchObject([
    { audit: true, by: 'olga', lending: 'riverside', patron_id: 402, result: 'kept' },
  ]);
  expect((await fixture.request({ ...keep, url: `${PAGE}/403/keep` })).statusCode).toBe(303);
  expect(fixture.lines().filter(({ action }) => action === 'copies_findings')).toHaveLength(1);
  for (const url of ['/libraries/nowhere/findings', `${PAGE}/x/keep`])
    expect((await fixture.request({ ...keep, url })).statusCode).toBe(404);
});
