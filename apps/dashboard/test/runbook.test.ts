import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SET_UP_FINDINGS, isSetUpFinding, setUpSection } from '@passport/contract';
import { CONDITION_WORDS, type LibraryCondition, type LibraryState } from '@passport/queue/processes';
import { stateSection } from '../src/overview/library-state.ts';
import { type DashboardFixture, SCOPED, basic, openDashboardFixture } from './dashboard-fixture.ts';

const ROOT = join(import.meta.dirname, '../../..');

let fixture: DashboardFixture;
let runbook: string;
beforeAll(async () => {
  fixture = await openDashboardFixture();
  const { renderDocument } = (await import(join(ROOT, 'scripts/render-document.mjs'))) as {
    readonly renderDocument: (markdown: string) => string;
  };
  runbook = renderDocument(readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8'));
});
afterAll(() => fixture.close());

async function page(install: string | undefined, user = SCOPED): Promise<string> {
  const app = fixture.build({ runbook, install });
  const { statusCode, body } = await app.inject({ url: '/runbook', headers: { authorization: basic(user) } });
  await app.close();
  expect(statusCode).toBe(200);
  return body;
}

test('the runbook is a page for everybody who may log in, with an anchor for each alert and each link within it', async () => {
  const body = await page(undefined);
  const ids = new Set(Array.from(body.matchAll(/ id="([^"]+)"/g), ([, id]) => id));
  const alerts = readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8');
  for (const [, alert = ''] of alerts.matchAll(/alert: (\w+)/g)) expect(ids).toContain(alert.toLowerCase());
  expect(ids).toContain('answer-a-message');
  for (const code of Object.keys(SET_UP_FINDINGS).filter(isSetUpFinding))
    expect(ids).toContain(setUpSection(code));
  for (const condition of Object.keys(CONDITION_WORDS) as LibraryCondition[]) {
    const section = stateSection(true, { condition } as LibraryState);
    if (section !== null) expect(ids).toContain(section);
  }
  for (const [, anchor] of body.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(anchor);
  expect(body).not.toMatch(/href="(?:\.\.\/|\w+\.md)/);
  const app = fixture.build({ runbook });
  expect((await app.inject({ url: '/runbook' })).statusCode).toBe(401);
  await app.close();
});

test('its commands are those of this installation, and those of the documentation where nobody knows it', async () => {
  expect(await page(undefined)).toContain('<code>docker compose ps worker</code>');
  const compose = await page('compose');
  expect(compose).toContain('<code>docker compose ps worker</code>');
  expect(compose).toContain('<code>docker compose run --rm cli doctor LIBRARY</code>');
  const debian = await page('debian');
  expect(debian).toContain('<code>sudo passport doctor LIBRARY</code>');
  expect(debian).toContain('<code>systemctl status --all &#39;patron-passport-worker@*&#39;</code>');
  expect(debian).toContain('<code>sudo systemctl start patron-passport-receiver</code>');
  expect(debian).not.toMatch(/<code>docker compose (?:ps|logs|up -d (?!--))/);
  expect(await page('<script>')).toContain('<code>docker compose ps worker</code>');
});
