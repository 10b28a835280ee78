import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Exchange } from '@passport/koha-double';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';
import { brokenPromises, untilAllReported } from './kept-promises.ts';
import { percentile } from './percentile.ts';
import { type Sender, type Sent, createSender } from './sender.ts';
import { createReportLog } from './report-log.ts';

type Id = 'midland' | 'riverside' | 'lakeside';

/** The long form: `PASSPORT_DEADLOCK_COPIES=1000`. */
const COPIES = Number(process.env['PASSPORT_DEADLOCK_COPIES'] ?? '120');
const WORKERS = 4;
const AT_ONCE = 8;
const OTHER_SCANS = 8;
const WITH_IMPORT = 40;
/** Of creates, those that may deadlock: one whose worker was kept waiting loses its place. Without places more than half do. */
const FEW = 0.1;

/** The requests at riverside about each card, in order: a look or a create with its status. */
const requests = new Map<string, string[]>();

function hear({ method, path, query, requestBody, status }: Exchange): void {
  if (path !== '/patrons') return;
  const created = method === 'POST' ? (requestBody as { cardnumber: string }).cardnumber : null;
  const where = method === 'GET' ? (new URLSearchParams(query).get('q') ?? '') : '';
  const card = created ?? /"cardnumber":"(\d+)"/.exec(where)?.[1];
  if (card !== undefined)
    requests.set(card, [...(requests.get(card) ?? []), created === null ? 'look' : `${status}`]);
}

let consortium: Consortium<Id>;
const reportLog = createReportLog();
beforeAll(async () => {
  consortium = await startConsortium<Id>({
    libraries: {
      midland: { reports: false },
      riverside: {
        koha: {
          onExchange(exchange) {
            reportLog.hear(exchange);
            hear(exchange);
          },
        },
      },
      lakeside: { koha: { onExchange: reportLog.hear } },
    },
    workers: WORKERS,
    env: { WORKER_CONCURRENCY: String(AT_ONCE) },
    keys: {
      agreements: ['riverside', 'lakeside'].map((lending) => ({ home: 'midland', lending })),
      defaults: {
        limits: { events_per_second: 10_000, burst: 10_000, backlog: 100_000, copies_per_hour: 100_000 },
      },
    },
  });
  consortium.doubles.riverside.putSettings({ deadlocks: true });
}, 60_000);
afterAll(() => consortium?.stop(), 60_000);

const senderOf = (library: Id): Sender =>
  createSender({
    receiverUrls: consortium.services.receivers.map(({ url }) => url),
    library,
    secret: consortium.secrets[library],
  });
/** Creates that were sent again with no look between. */
const sentBlindly = (): readonly string[][] =>
  [...requests.values()].filter((each) => /\d{3},\d{3}/.test(each.join(',')));
const deadlocks = (): number => [...requests.values()].flat().filter((what) => what === '500').length;

const newScan = () => ({ cardnumber: registerPatron(consortium.doubles.midland), item_barcode: null });

test(`${COPIES} copies at a Koha whose creates deadlock, ${WORKERS} workers with ${AT_ONCE} jobs each: all are made, none twice, none sent again blindly, and another desk does not wait`, async () => {
  const { riverside, midland } = consortium.doubles;
  const send = senderOf('riverside');
  const startedAt = performance.now();
  const sent: Sent[] = [];
  for (let left = COPIES; left > 0; left -= 40) {
    const some = Array.from({ length: Math.min(left, 40) }, () => send(newScan()));
    sent.push(...(await Promise.all(some)));
  }
  const waits: number[] = [];
  const other = senderOf('lakeside');
  for (let scan = 0; scan < OTHER_SCANS; scan += 1) {
    const { eventId, sentAt } = await other(newScan());
    waits.push((await reportLog.first(eventId, ({ state }) => state === 'done')).at - sentAt);
  }
  await untilAllReported(riverside, sent, 60_000 + COPIES * 200);

  const errors = deadlocks();
  const looks = midland.calls().filter(({ operation }) => operation === 'GET /patrons').length;
  process.stderr.write(
    `${COPIES} copies in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${errors} deadlocks, ` +
      `${looks} look-ups at home, another desk waits ${percentile(waits, 0.5).toFixed(0)} ms (most ${Math.max(...waits).toFixed(0)})\n`,
  );
  expect(brokenPromises(riverside, sent, { isCheckedOut: false })).toEqual([]);
  expect(sentBlindly()).toEqual([]);
  expect(errors).toBeLessThan(COPIES * FEW);
  expect(percentile(waits, 0.5)).toBeLessThan(3_000);
}, 600_000);

/** Creates patrons with attributes one after the other, as a program of the library's own that does not take our locks. */
async function importPatrons(stop: AbortSignal): Promise<number> {
  const { url, credentials } = consortium.doubles.riverside;
  const form = {
    grant_type: 'client_credentials',
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
  };
  const grant = await fetch(`${url}/api/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token: token } = (await grant.json()) as { access_token: string };
  let sent = 0;
  for (; !stop.aborted; sent += 1) {
    const body = {
      surname: `Import${sent}`,
      cardnumber: `IMPORT${sent}`,
      library_id: 'MAIN',
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED', value: 'nobody' }],
    };
    await fetch(`${url}/api/v1/patrons`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
  return sent;
}

test(`${WITH_IMPORT} copies while another program creates patrons there, so that ours deadlock all the same: all are made, each looked up before it is sent again`, async () => {
  requests.clear();
  const send = senderOf('riverside');
  const over = new AbortController();
  const imported = importPatrons(over.signal);
  const sent = await Promise.all(Array.from({ length: WITH_IMPORT }, () => send(newScan())));
  await untilAllReported(consortium.doubles.riverside, sent, 60_000 + WITH_IMPORT * 500);
  over.abort();
  process.stderr.write(
    `${WITH_IMPORT} copies beside ${await imported} others: ${deadlocks()} deadlocks of both\n`,
  );
  for (const card of requests.keys()) if (card.startsWith('IMPORT')) requests.delete(card);
  expect(deadlocks()).toBeGreaterThan(0);
  expect(sentBlindly()).toEqual([]);
  expect(brokenPromises(consortium.doubles.riverside, sent, { isCheckedOut: false })).toEqual([]);
}, 120_000);
