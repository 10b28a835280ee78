import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type AddressInfo, type Server as SlowServer, createServer as createSlowServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatWebhookSecret } from '@passport/contract';
import { waitFor } from '@passport/testkit';
import { Webhook } from 'standardwebhooks';
import { registerPatron } from '../harness/people.ts';
import { type Consortium, startConsortium } from '../harness/start-consortium.ts';

/** What the built processes send to operators: workers, and the receiver while there is none. */
const SECRET = formatWebhookSecret(Buffer.from('nobody knows this of notifyers..'));
const OTHER_SECRET = formatWebhookSecret(Buffer.from('nor this one, of the slow one....'));
/** A state lasts for 15 s before it is sent, and is looked for every 5 s; a dead worker is missed after 10 s, and then for 20 s. */
const ARRIVAL_MS = 120_000;
const SCANS = 8;

interface Message {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly library: { readonly id: string } | null; readonly text: string };
}

/** An endpoint of an operator, that notes what arrives. */
interface Endpoint {
  readonly url: string;
  readonly received: readonly Message[];
  /** The message whose first attempt it answers with an error. */
  readonly refused: readonly string[];
  close(): void;
}

let consortium: Consortium<'midland' | 'riverside' | 'lakeside'>;
let endpoint: Endpoint;
/** Another one, whose only worker is gone when the tests begin: nobody waits for both. */
let deserted: Consortium<'riverside'>;
let endpointOfDeserted: Endpoint;
let crawling: SlowServer;

beforeAll(async () => {
  [endpoint, endpointOfDeserted] = await Promise.all([startEndpoint(), startEndpoint()]);
  // Beside it, one that takes every message and answers nothing but one byte of a header a second.
  crawling = createSlowServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
    const timer = setInterval(() => socket.write('x'), 1_000);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
    socket.resume();
  });
  await new Promise<void>((resolve) => crawling.listen(0, '127.0.0.1', resolve));
  const crawlingUrl = `http://127.0.0.1:${(crawling.address() as AddressInfo).port}/planted-secret`;
  consortium = await startConsortium({
    libraries: {
      midland: { reports: false, cards: ['^21234\\d{9}$'] },
      riverside: { entry: { limits: { copies_per_hour: SCANS } } },
      lakeside: {},
    },
    workers: 2,
    dashboards: 1,
    keys: {
      notify: [
        { name: 'crawling', url: crawlingUrl, secret: { env: 'CRAWLING_SECRET' } },
        { name: 'ops', url: endpoint.url, secret: { env: 'OPS_SECRET' } },
      ],
      defaults: { koha: { timeout: '1s' } },
    },
    env: { OPS_SECRET: SECRET, CRAWLING_SECRET: OTHER_SECRET },
  });
  deserted = await startConsortium({
    libraries: { riverside: {} },
    keys: { notify: [{ name: 'ops', url: endpointOfDeserted.url, secret: { env: 'OPS_SECRET' } }] },
    env: { OPS_SECRET: SECRET },
  });
  await deserted.services.workers[0]?.kill();
}, 60_000);
afterAll(async () => {
  await Promise.all([consortium?.stop(), deserted?.stop()]);
  crawling?.close();
  endpoint?.close();
  endpointOfDeserted?.close();
});

async function startEndpoint(): Promise<Endpoint> {
  const received: Message[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      // The first attempt meets an error: the message comes again.
      if (refused.length === 0) {
        refused.push(String(request.headers['webhook-id']));
        response.writeHead(500).end();
        return;
      }
      const verified = new Webhook(SECRET).verify(body, request.headers as Record<string, string>);
      received.push({ ...(verified as Message), id: String(request.headers['webhook-id']) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    refused,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const scan = async () => {
  const cardnumber = registerPatron(consortium.doubles.midland, { prefix: '21234' });
  return consortium.at('riverside').scan({ cardnumber, item_barcode: null });
};
/** Cards that nobody has, at another library, twice a second. */
async function goOnScanning(signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    await consortium
      .at('lakeside')
      .scan({ cardnumber: `21234${String(900_000_000 + n)}`, item_barcode: null });
    await pause(500);
  }
}
const arrival = async (type: string, { received } = endpoint): Promise<Message> =>
  waitFor(`the message ${type}`, () => received.find((message) => message.type === type) ?? null, {
    timeoutMs: ARRIVAL_MS,
    everyMs: 200,
  });
/** Each kind of message came once, the refused one among them. */
function expectEachOnce({ received, refused }: Endpoint): void {
  expect(received.map(({ id }) => id)).toEqual(expect.arrayContaining([...refused]));
  const types = received.map(({ type }) => type);
  expect(types).toEqual([...new Set(types)]);
}

test('a library that is away and then back, and a limit that is reached: each once, signed, again after a failure', async () => {
  const { midland } = consortium.doubles;
  midland.addFaults([{ operation: '*', kind: 'hang', times: 1_000_000 }]);
  await Promise.all(Array.from({ length: SCANS }, scan));
  const away = await arrival('library.away');
  expect(away.data).toMatchObject({ library: { id: 'midland', name: 'midland library' } });
  expect(away.data).toMatchObject({ facts: { code: expect.stringMatching(/^timeout/) } });
  midland.clearFaults();
  // All of them are copied now, and that is the limit.
  // A library is back once every worker has seen it: desks go on scanning, or one worker might take all that waits.
  const over = new AbortController();
  const scanning = goOnScanning(over.signal);
  const [back, limit] = await Promise.all([arrival('library.back'), arrival('limit.reached')]).finally(() =>
    over.abort(),
  );
  await scanning;
  expect(back.data).toMatchObject({ library: { id: 'midland' } });
  expect(limit.data).toMatchObject({ library: { id: 'riverside' }, facts: { copies_per_hour: SCANS } });
  expectEachOnce(endpoint);
}, 300_000);

test('the receiver reports that no worker is there, and a worker that one is again', async () => {
  expect((await arrival('worker.missing', endpointOfDeserted)).data).toMatchObject({ library: null });
  await deserted.services.add('worker');
  await arrival('worker.back', endpointOfDeserted);
  for (const each of [endpoint, endpointOfDeserted]) expectEachOnce(each);
}, 300_000);

test('an endpoint that crawls delays neither the others nor a scan, and is shown on the dashboard without its address', async () => {
  // The endpoint that crawls has delayed none of these messages, nor a scan while it is tried.
  const desk = consortium.at('lakeside');
  const cardnumber = registerPatron(consortium.doubles.midland, { prefix: '21234' });
  const { eventId } = await desk.scan({ cardnumber, item_barcode: null });
  expect(await desk.follow(eventId, { timeoutMs: 15_000 })).toMatchObject({ outcome: 'COPIED' });
  // Operators see on the dashboard which one fails, without its address.
  const dashboard = consortium.services.dashboards[0]?.url ?? '';
  const password = consortium.services.env['DASHBOARD_PASSWORD'] ?? '';
  const authorization = `Basic ${Buffer.from(`operator:${password}`).toString('base64')}`;
  const page = await waitFor('the failing endpoint on the dashboard', async () => {
    const text = await (await fetch(dashboard, { headers: { authorization } })).text();
    return /crawling[\s\S]*no answer \(timeout\)/.test(text) ? text : null;
  });
  expect(`${page}${await consortium.services.logs()}`).not.toMatch(/planted-secret/);
}, 60_000);
