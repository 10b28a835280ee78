import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { joinFingerprint } from '@passport/contract';
import { openInvitations } from '@passport/queue/joining';
import { createEncryption } from '@passport/runtime';
import { type DashboardFixture, openDashboardFixture, OPERATOR, SCOPED } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
beforeEach(() => fixture.clear());
afterAll(() => fixture.close());

const pageAs = async (as: typeof OPERATOR | typeof SCOPED): Promise<string> =>
  (await fixture.request({ url: '/', as })).body;

test('a library that asks to join is shown with its fingerprint, to those who see all libraries', async () => {
  const encryption = createEncryption([Buffer.from('a PASSPORT_KEY of thirty-two oct')]);
  const invitations = openInvitations(fixture.redis, encryption);
  const invitation = `inv_${'x'.repeat(22)}`;
  const nowMs = Date.now();
  await invitations.add({
    invitation,
    library: 'prairie',
    name: '<b>Prairie</b> "Library"',
    token: 'planted-token',
    privateKey: 'planted-key',
    madeMs: nowMs,
    endsMs: nowMs + 3_600_000,
  });
  expect(await pageAs(OPERATOR)).not.toContain('prairie');
  await invitations.keep(invitation, 'planted-body');
  const page = await pageAs(OPERATOR);
  expect(page).toContain('&lt;b&gt;Prairie&lt;/b&gt; &quot;Library&quot;');
  expect(page).toContain(joinFingerprint('planted-body'));
  expect(page).toContain('passport library accept prairie --fingerprint');
  expect(page).not.toMatch(/planted|inv_x/);
  expect(await pageAs(SCOPED)).not.toMatch(/prairie|ask to join/i);
});
