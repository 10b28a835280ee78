import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { type Socket, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { buildScanEvent, leakGuard, signedRequest, startRedis } from '@passport/testkit';
import { readExposition } from '../harness/read-exposition.ts';
import { type LoneReceiver, startReceiver } from '../harness/start-receiver.ts';

/**
 * Full size: HOSTILE_CONNECTIONS=4096 HOSTILE_SECONDS=60 HOSTILE_ADDRESS=127.0.0.2. From the address of a Koha itself,
 * as here by default, so many would also push out some of its own connections, which have to be made again.
 */
const MANY = Number(process.env['HOSTILE_CONNECTIONS'] ?? 400);
const SECONDS = Number(process.env['HOSTILE_SECONDS'] ?? 2);
const ADDRESS = process.env['HOSTILE_ADDRESS'] ?? '127.0.0.1';
/** Of docker-compose.yml. */
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
const EVERY_MS = 50;

const own = leakGuard({ beforeEach, afterEach });
const MANY_HEADERS = 'a:b\r\n'.repeat(1_500);

/** What a hostile connection sends first, and again as often as it may. */
const ATTACKS: Readonly<Record<string, string>> = {
  'are idle after one 404': 'GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n',
  'are idle after one good answer': 'GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n',
  'send many headers and never end them': `POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\n${MANY_HEADERS}`,
  'send a body and never end it': `POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\ncontent-length: 16384\r\n\r\n${'x'.repeat(16_000)}`,
  'say nothing': '',
};

test.each(Object.entries(ATTACKS))(
  `while ${MANY} connections from ${ADDRESS} %s, signed events go on`,
  async (_what, bytes) => {
    const redis = own(await startRedis());
    const limits = { events_per_second: 1_000, burst: 5_000, backlog: 100_000 };
    const receiver = own(await startReceiver({ redisUrl: redis.url, entry: { limits } }));
    const attack = startAttack(receiver.port, bytes);
    const tookMs: number[] = [];
    const statuses = new Map<number, number>();
    let peakBytes = 0;

    const end = performance.now() + SECONDS * 1_000;
    for (let count = 0; performance.now() < end; count += 1) {
      const start = performance.now();
      const status = await sendScan(receiver, `evt_${count}`);
      tookMs.push(performance.now() - start);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      peakBytes = Math.max(peakBytes, residentBytes(receiver.process.pid));
      await pause(EVERY_MS);
    }
    const opened = attack.stop();
    const dropped = await droppedBy(receiver);
    const sorted = tookMs.toSorted((a, b) => a - b);
    const figures = {
      opened,
      dropped,
      accepted: statuses.get(202),
      slowestMs: Math.round(sorted.at(-1) ?? 0),
      medianMs: Math.round(sorted[sorted.length >> 1] ?? 0),
      peakMiB: Math.round(peakBytes / 1024 / 1024),
    };
    if (process.env['HOSTILE_SECONDS'] !== undefined) process.stderr.write(`${JSON.stringify(figures)}\n`);

    expect({ statuses: [...statuses.keys()], figures }).toMatchObject({ statuses: [202] });
    expect(figures.accepted).toBeGreaterThan(SECONDS);
    expect(peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
    // Some had to go: pushed out by new ones, or closed with the refusal that they were sent.
    expect(opened).toBeGreaterThan(MANY);
    expect(receiver.process.output().length).toBeLessThan(100_000 + 400 * (figures.accepted ?? 0));
  },
  (SECONDS + 60) * 1_000,
);

/** Holds {@link MANY} connections; opens another one wherever one is closed. */
function startAttack(port: number, bytes: string): { stop(): number } {
  const sockets = new Set<Socket>();
  let isOn = true;
  let opened = 0;
  const open = (): void => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: ADDRESS });
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('connect', () => void socket.write(bytes));
    socket.once('close', () => {
      sockets.delete(socket);
      // Not at once: the attacker shares this process with the sender, whose time is measured.
      if (isOn) setTimeout(() => isOn && open(), 100);
    });
  };
  for (let count = 0; count < MANY; count += 1) open();
  return {
    stop() {
      isOn = false;
      for (const socket of sockets) socket.destroy();
      return opened;
    },
  };
}

/** As a Koha does: a connection for each event. One that is closed unanswered is tried again, twice. */
async function sendScan(receiver: LoneReceiver, id: string): Promise<number> {
  const body = buildScanEvent({ cardnumber: id });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(receiver, id, body);
    } catch {
      if (attempt === 3) return 0;
    }
  }
}

async function sendOnce(
  receiver: LoneReceiver,
  id: string,
  scan: ReturnType<typeof buildScanEvent>,
): Promise<number> {
  const { headers, body, method } = signedRequest({ secret: receiver.secrets.riverside, id, body: scan });
  const signal = AbortSignal.timeout(5_000);
  const sent = request(`${receiver.url}/webhooks/riverside`, { method, headers, agent: false, signal });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}

function residentBytes(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

async function droppedBy(receiver: LoneReceiver): Promise<number> {
  const text = await (await fetch(`${receiver.adminUrl}/metrics`)).text();
  return readExposition(text)
    .filter(({ name }) => name === 'passport_connections_dropped_total')
    .reduce((sum, { value }) => sum + value, 0);
}
