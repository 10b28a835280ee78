import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Secret, parseConsortium } from '@passport/config';
import { addressOf } from '@passport/notify';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { Webhook } from 'standardwebhooks';
import { checkNotify } from '../src/commands/doctor/check-service.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const SECRET = `whsec_${Buffer.from('o1-2_3.4'.repeat(4)).toString('base64')}`;
const KOHA = {
  url: 'http://127.0.0.1:9',
  credentials: { clientId: 'id', clientSecret: '7f3e9a-kept-out-mid' },
};
const received: { headers: Record<string, string>; body: string }[] = [];
let answer = { status: 200, text: 'ok' };
const endpoint = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    received.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(answer.status).end(answer.text);
  });
});

let server: StartedRedis;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  server = await startRedis();
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`;
  const notify = [
    { name: 'ops', url, secret: { env: 'OPS_SECRET' } },
    { name: 'chat', url: { env: 'CHAT_URL' }, format: 'slack' },
  ];
  const file = consortiumOf([{ library: 'midland', ...KOHA }], { notify });
  env = { ...file, OPS_SECRET: SECRET, CHAT_URL: `${url}/planted`, REDIS_URL: server.url };
});
afterAll(async () => {
  endpoint.closeAllConnections();
  endpoint.close();
  await server.stop();
});
beforeEach(async () => {
  received.length = 0;
  answer = { status: 200, text: 'ok' };
  await server.call('FLUSHALL');
});

test('a test message is signed as all others are, and what came back is printed', async () => {
  const { code, out, err } = await passport(['notify', 'test', '--name', 'ops'], env);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^ops: accepted, answered 200 in \d+ ms\n$/);
  const [{ headers, body } = { headers: {}, body: '' }] = received;
  expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({
    type: 'test',
    data: { consortium: 'Test Libraries', library: null },
  });
});

test('an endpoint that refuses with an ok is not said to be ok', async () => {
  answer = { status: 500, text: 'OK' };
  const { code, out } = await passport(['notify', 'test', '--name', 'ops'], env);
  expect(code).toBe(1);
  expect(out).toMatch(/^ops: not accepted, answered 500 in \d+ ms\n$/);
});

test('every endpoint is tried, in its own format, and one that refuses makes it fail', async () => {
  answer = { status: 404, text: `no_service\n\u001B[31m${'x'.repeat(5_000)}` };
  const { code, out } = await passport(['notify', 'test'], env);
  expect(code).toBe(1);
  expect(out.split('\n').map((line) => line.replace(/\d+ ms/, 'N ms').slice(0, 60))).toEqual([
    'ops: not accepted, answered 404 in N ms: no_service [31mxxxx',
    'chat: not accepted, answered 404 in N ms: no_service [31mxxx',
    '',
  ]);
  expect(out.length).toBeLessThan(700);
  expect(out).not.toContain('planted');
  const chat = received.find(({ headers }) => headers['webhook-id'] === undefined);
  expect(Object.keys(JSON.parse(chat?.body ?? '{}') as object)).toEqual(['text']);
});

test('an endpoint that had stopped gets messages again once it accepts a test', async () => {
  await server.call('HSET', '{passport}:notices:stopped', 'ops', 'address');
  answer = { status: 410, text: '' };
  expect((await passport(['notify', 'test', '--name', 'ops'], env)).code).toBe(1);
  expect(await server.call('HLEN', '{passport}:notices:stopped')).toBe(1);
  answer = { status: 204, text: '' };
  const ran = await passport(['notify', 'test', '--name', 'ops', '--json'], env);
  expect(jsonOf(ran)).toEqual({
    endpoints: [expect.objectContaining({ endpoint: 'ops', accepted: true, status: 204, resumed: true })],
  });
  expect(await server.call('HLEN', '{passport}:notices:stopped')).toBe(0);
});

test('doctor says of an endpoint that it has stopped, as long as its address is the same', () => {
  const url = new Secret('https://ops.example.org/hook');
  const { notify } = parseConsortium(env['FILE test.yaml'] ?? '', { ...env, OPS_SECRET: SECRET }, () => '');
  const at = (address: string) =>
    [...checkNotify(notify.slice(0, 1), { ops: address })].map(({ code }) => code);
  expect(at(addressOf(notify[0] ?? { url }))).toEqual(['notify_stopped']);
  expect(at(addressOf({ url }))).toEqual([]);
});

test('a name that is none is wrong use, and a file that notifies nobody is said', async () => {
  expect(await passport(['notify', 'test', '--name', 'opps'], env)).toMatchObject({
    code: 2,
    err: 'passport: --name must be the name of an endpoint in notify: ops, chat\n',
  });
  const nobody = { ...consortiumOf([{ library: 'midland', ...KOHA }]), REDIS_URL: server.url };
  expect(await passport(['notify', 'test'], nobody)).toMatchObject({
    code: 1,
    err: 'passport: nobody is notified: the configuration has no notify\n',
  });
});
