import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import { registerPatron, shelveBook } from './people.ts';
import type { Consortium } from './start-consortium.ts';
import type { threeLibraries } from './three-libraries.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The workflow in short, for services on another kind of Redis, or behind something: a copy with its checkout, a redelivery, a
 * double scan, a card that nobody knows, a home library that fails once (a delayed job), and the command line and the
 * dashboard that look on. Fails the test that runs it where one of them is not as everywhere.
 */
export async function checkWorkflow(consortium: Consortium<keyof typeof threeLibraries>): Promise<void> {
  const { midland, riverside } = consortium.doubles;
  const desk = consortium.at('riverside');
  const data = { cardnumber: registerPatron(midland), item_barcode: shelveBook(riverside) };
  const request = signedRequest({ secret: consortium.secrets.riverside, body: buildScanEvent(data) });
  expect(await desk.deliver(request)).toMatchObject({ status: 202, body: { status: 'accepted' } });
  expect(await desk.deliver(request)).toMatchObject({ status: 202, body: { duplicate: true } });
  expect(await desk.follow(request.id)).toMatchObject({
    outcome: 'COPIED',
    checkout: { result: 'CHECKED_OUT' },
  });

  midland.addFaults([{ operation: 'GET /patrons', kind: 'status', status: 502, times: 1 }]);
  const again = { cardnumber: registerPatron(midland), item_barcode: null };
  const [first, second] = [await desk.scan(again), await desk.scan(again)];
  expect(second).toMatchObject({ status: 202, eventId: first.eventId, body: { joined: true } });
  expect(await desk.follow(first.eventId)).toMatchObject({ outcome: 'COPIED', attempt: 2 });

  const unknown = await desk.scan({ cardnumber: '21234000999999', item_barcode: null });
  expect(await desk.follow(unknown.eventId)).toMatchObject({ outcome: 'NOT_FOUND' });
  expect(riverside.state(data.cardnumber)).toMatchObject({
    patrons: [{ cardnumber: data.cardnumber }],
    checkouts: [{ external_id: data.item_barcode }],
  });
  expect(await listedEvents(consortium)).toEqual(
    expect.arrayContaining([request.id, first.eventId, unknown.eventId]),
  );
  for (const dashboard of consortium.services.dashboards) await seesTheQueue(dashboard.url, consortium);
}

/** What `passport events list` lists. */
async function listedEvents({ services }: Consortium<keyof typeof threeLibraries>): Promise<string[]> {
  const env = { PATH: process.env['PATH'], ...services.env };
  const args = [join(ROOT, 'apps/cli/bin/passport.js'), 'events', 'list', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const { events } = JSON.parse(stdout) as { events: { event_id: string }[] };
  return events.map(({ event_id: id }) => id);
}

async function seesTheQueue(
  url: string,
  { services }: Consortium<keyof typeof threeLibraries>,
): Promise<void> {
  const login = `${services.env['DASHBOARD_USER']}:${services.env['DASHBOARD_PASSWORD']}`;
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const overview = await fetch(`${url}/`, { headers });
  expect(overview.status).toBe(200);
  expect(await overview.text()).toContain('COPIED');
  const board = await fetch(`${url}/board/api/queues?activeQueue=scans&status=completed`, { headers });
  const scans = { name: 'scans', counts: expect.objectContaining({ completed: 3 }) };
  expect(await board.json()).toMatchObject({
    queues: expect.arrayContaining([expect.objectContaining(scans)]),
  });
}
