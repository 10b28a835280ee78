import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type StartedRedis,
  sendRaw,
  openRaw,
  rawRequest,
  signedRequest,
  startRedis,
} from '@passport/testkit';
import { type AnswerBody, type ReceiverFixture, SECRET, openReceiver } from './receiver-fixture.ts';

const TIMEOUT_MS = 2_000;
let server: StartedRedis;
let receiver: ReceiverFixture;
beforeAll(async () => {
  server = await startRedis();
  receiver = await openReceiver({ redisUrl: server.url, requestTimeoutMs: TIMEOUT_MS });
});
afterEach(async () => {
  const answer = await fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET }));
  expect(answer.status).toBe(202);
  await server.call('FLUSHALL');
});
afterAll(async () => {
  await receiver.close();
  await server.stop();
});

const good = (id = 'evt_1') => signedRequest({ secret: SECRET, id });
const bytesOf = ({ headers, body }: ReturnType<typeof good>, line = 'POST /webhooks/riverside') =>
  rawRequest({ line, headers: Object.entries(headers), body });
const codeOf = (body: string): string | undefined => (JSON.parse(body) as AnswerBody).code;

describe('what never becomes a request', () => {
  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['TLS', Buffer.from('16030100c5010000c10303', 'hex')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a header without a name', 'POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\n: x\r\n\r\n'],
    ['a control character in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\u0001\u0000b\r\n\r\n'],
    ['headers of 20,000 bytes', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['a path of 20,000 bytes', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    [
      'a length and chunks (smuggling)',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is no number', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1e3\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ])('%s is answered 400 as a problem, and the connection is closed', async (_name, bytes) => {
    const connection = openRaw(receiver.port);
    connection.write(bytes);
    const answer = await connection.answer();

    expect({ status: answer.status, code: codeOf(answer.body) }).toEqual({
      status: 400,
      code: 'malformed_request',
    });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    await connection.closed;
  });

  test('a chunk that is none ends in 400 or a closed connection, never in an event', async () => {
    const { headers } = good();
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\n${head.join('')}transfer-encoding: chunked\r\n\r\nzz\r\n`;
    const connection = openRaw(receiver.port);
    connection.write(text);

    expect(await connection.answer()).toMatchObject({ status: 400 });
    await connection.closed;
    expect(await receiver.jobs()).toEqual([]);
  });

  test('a sender that hangs up in the middle of a body leaves nothing behind', async () => {
    const bytes = bytesOf(good());
    const connection = openRaw(receiver.port);
    connection.write(bytes.subarray(0, -10));
    connection.close();
    await connection.closed;

    expect((await sendRaw(receiver.port, bytesOf(good('evt_2')))).status).toBe(202);
    expect((await receiver.jobs()).map(({ event_id }) => event_id)).toEqual(['evt_2']);
  });
});

describe('odd requests', () => {
  test('headers may be written in any case, and a body may come in chunks', async () => {
    const { headers, body } = good();
    const head = Object.entries(headers).map(([name, value]) => `${name.toUpperCase()}: ${value}\r\n`);
    const half = body.length >> 1;
    const chunks = [body.slice(0, half), body.slice(half)].map(
      (part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`,
    );
    const text = `POST /webhooks/riverside HTTP/1.1\r\nHOST: a\r\n${head.join('')}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;

    expect((await sendRaw(receiver.port, text)).status).toBe(202);
  });

  test('chunks beyond 16 KiB are 413, and the connection is closed', async () => {
    const { headers } = good();
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    const connection = openRaw(receiver.port);
    connection.write(
      `POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\n${head.join('')}transfer-encoding: chunked\r\n\r\n${chunk}1\r\nx\r\n`,
    );

    const answer = await connection.answer();
    expect({ status: answer.status, code: codeOf(answer.body) }).toEqual({ status: 413, code: 'too_large' });
    await connection.closed;
  });

  test('a sender of far too much that reads only when it has sent all of it gets 413', async () => {
    const bytes = bytesOf(signedRequest({ secret: SECRET, id: 'evt_1', body: ' '.repeat(200_000) }));
    const socket = connect(receiver.port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    for (let sent = 0; sent < bytes.length; sent += 20_000) {
      socket.write(bytes.subarray(sent, sent + 20_000));
      await fetch(`${receiver.url}/openapi.json`);
    }
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.resume();
    await once(socket, 'close');

    expect(received).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body of exactly 16 KiB is read', async () => {
    const event = signedRequest({ secret: SECRET }).body;
    const request = signedRequest({ secret: SECRET, id: 'evt_1', body: event.padEnd(16 * 1024) });

    expect((await sendRaw(receiver.port, bytesOf(request))).status).toBe(202);
  });

  test.each([
    ['a path that cannot be decoded', '/webhooks/%zz', 400, 'malformed_request'],
    ['a very long library', `/webhooks/${'a'.repeat(5_000)}`, 401, 'unauthorized'],
    ['a library with a NUL', '/webhooks/river%00side', 401, 'unauthorized'],
    ['a library called like a property', '/webhooks/__proto__', 401, 'unauthorized'],
    ['a slash at the end', '/webhooks/riverside/', 404, 'not_found'],
    ['a query', '/webhooks/riverside?cardnumber=21234000000017', 202, undefined],
  ])('%s (%s): %i %s', async (_name, path, status, code) => {
    const answer = await sendRaw(receiver.port, bytesOf(good(), `POST ${path}`));

    expect({ status: answer.status, code: codeOf(answer.body) }).toEqual({ status, code });
    expect(answer.body + receiver.logged()).not.toContain('21234000000017');
  });

  test('a content type that cannot be parsed is 415', async () => {
    const { headers, body } = good();
    const odd = { ...headers, 'content-type': 'application/' };
    const answer = await sendRaw(
      receiver.port,
      rawRequest({ line: 'POST /webhooks/riverside', headers: Object.entries(odd), body }),
    );

    expect({ status: answer.status, code: codeOf(answer.body) }).toEqual({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  test('an expectation that nobody knows is no reason to refuse an event', async () => {
    const { headers, body } = good();
    const odd = { ...headers, expect: 'a-miracle' };
    const answer = await sendRaw(
      receiver.port,
      rawRequest({ line: 'POST /webhooks/riverside', headers: Object.entries(odd), body }),
    );

    expect(answer.status).toBe(202);
  });

  test('requests that are sent without waiting are answered in their order', async () => {
    const connection = openRaw(receiver.port);
    const ids = ['evt_1', 'evt_2', 'evt_3'];
    connection.write(Buffer.concat(ids.map((id) => bytesOf(good(id)))));

    const answers = [await connection.answer(), await connection.answer(), await connection.answer()];
    connection.close();
    expect(answers.map(({ body }) => (JSON.parse(body) as { joined?: true }).joined)).toEqual([
      undefined,
      true,
      true,
    ]);
  });
});

describe('slow senders', () => {
  test.each([
    ['headers', (bytes: Buffer) => bytes.subarray(0, 40)],
    ['body', (bytes: Buffer) => bytes.subarray(0, -1)],
  ])(
    'one that never ends its %s gets 408 and is cut off, others are served meanwhile',
    async (_name, beginning) => {
      const slow = openRaw(receiver.port);
      const start = performance.now();
      slow.write(beginning(bytesOf(good('evt_slow'))));
      const answer = slow.answer();
      expect((await sendRaw(receiver.port, bytesOf(good('evt_quick')))).status).toBe(202);

      const { status, body } = await answer;
      const tookMs = performance.now() - start;
      expect({ status, code: codeOf(body) }).toEqual({ status: 408, code: 'request_timeout' });
      expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS * 0.9);
      expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.9);
      await slow.closed;
      expect((await receiver.jobs()).map(({ event_id }) => event_id)).toEqual(['evt_quick']);
    },
  );

  test('one that trickles a byte now and then is cut off all the same', async () => {
    const slow = openRaw(receiver.port);
    const answer = slow.answer();
    const bytes = bytesOf(good('evt_slow'));
    slow.write(bytes.subarray(0, 100));
    let sent = 100;
    const trickle = setInterval(() => slow.write(bytes.subarray(sent, (sent += 1))), 50);

    expect((await answer).status).toBe(408);
    clearInterval(trickle);
    await slow.closed;
  });

  test('a connection on which nothing comes at all is closed', async () => {
    const silent = openRaw(receiver.port);

    await silent.closed;
  });
});
