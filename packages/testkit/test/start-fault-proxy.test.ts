import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leakGuard, startFaultProxy, waitFor, type FaultProxy } from '@passport/testkit';

const own = leakGuard({ beforeEach, afterEach });

/** Answers every byte with the same byte in upper case. */
async function startEcho() {
  const sockets = new Set<Socket>();
  const received: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text: string) => {
      received.push(text);
      socket.write(text.toUpperCase());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return own({
    port: (server.address() as AddressInfo).port,
    received: () => received.join(''),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function talk(proxy: FaultProxy) {
  const socket = connect(proxy.port, '127.0.0.1');
  let answers = '';
  let end: string | null = null;
  socket.setEncoding('utf8').on('data', (text: string) => {
    answers += text;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? 'error';
  });
  socket.on('close', () => {
    end ??= 'closed';
  });
  own({ stop: () => socket.destroy() });
  return { say: (text: string) => void socket.write(text), answers: () => answers, end: () => end };
}

async function arrange() {
  const echo = await startEcho();
  const proxy = own(await startFaultProxy({ target: echo.port, seed: 3 }));
  return { echo, proxy };
}

test('it carries both ways', async () => {
  const { proxy } = await arrange();
  const client = talk(proxy);
  client.say('hello');
  await waitFor('the answer', () => client.answers() === 'HELLO');
});

test('refuse closes what is open and listens no more; pass listens again on the same port', async () => {
  const { proxy } = await arrange();
  const before = talk(proxy);
  before.say('a');
  await waitFor('the answer', () => before.answers() === 'A');
  await proxy.setMode('refuse');
  await waitFor('the open connection to end', () => before.end());
  const refused = talk(proxy);
  await waitFor('the refusal', () => refused.end() === 'ECONNREFUSED');
  await proxy.setMode('pass');
  const after = talk(proxy);
  after.say('b');
  await waitFor('the answer', () => after.answers() === 'B');
});

test('reset resets open and new connections', async () => {
  const { proxy } = await arrange();
  const open = talk(proxy);
  open.say('a');
  await waitFor('the answer', () => open.answers() === 'A');
  await proxy.setMode('reset');
  await waitFor('the reset', () => open.end() === 'ECONNRESET');
  const fresh = talk(proxy);
  fresh.say('b');
  await waitFor('the reset', () => fresh.end() === 'ECONNRESET');
});

test('a black hole keeps connections open and lets nothing through', async () => {
  const { echo, proxy } = await arrange();
  const client = talk(proxy);
  client.say('a');
  await waitFor('the answer', () => client.answers() === 'A');
  await proxy.setMode('blackhole');
  client.say('swallowed');
  const second = talk(proxy);
  second.say('swallowed too');
  await waitFor('the second connection', () => proxy.accepted() === 2);
  // By the time that another one is there, what was said before has come.
  talk(proxy);
  await waitFor('the third connection', () => proxy.accepted() === 3);
  await proxy.setMode('pass');
  client.say('b');
  await waitFor('the later answer', () => client.answers() === 'AB');
  expect(echo.received()).toBe('ab');
  expect([client.end(), second.end()]).toEqual([null, null]);
});

test('swallow takes new connections and carries nothing for them, ever; open ones go on', async () => {
  const { proxy } = await arrange();
  const before = talk(proxy);
  before.say('a');
  await waitFor('the answer', () => before.answers() === 'A');
  await proxy.setMode('swallow');
  const swallowed = talk(proxy);
  swallowed.say('b');
  await waitFor('the second connection', () => proxy.accepted() === 2);
  before.say('c');
  await waitFor('the answer of the open one', () => before.answers() === 'AC');
  await proxy.setMode('pass');
  swallowed.say('d');
  const after = talk(proxy);
  after.say('e');
  await waitFor('the answer of a new one', () => after.answers() === 'E');
  expect([swallowed.answers(), swallowed.end()]).toEqual(['', null]);
});

test('freeze silences what is open, for good, and takes new connections', async () => {
  const { proxy } = await arrange();
  const before = talk(proxy);
  before.say('a');
  await waitFor('the answer', () => before.answers() === 'A');
  await proxy.setMode('freeze');
  before.say('b');
  const after = talk(proxy);
  after.say('c');
  await waitFor('the answer of a new one', () => after.answers() === 'C');
  await proxy.setMode('pass');
  after.say('d');
  await waitFor('its next answer', () => after.answers() === 'CD');
  expect([before.answers(), before.end()]).toEqual(['A', null]);
});

test('delay keeps the order', async () => {
  const { proxy } = await arrange();
  await proxy.setMode({ kind: 'delay', ms: 30, jitterMs: 30 });
  const client = talk(proxy);
  const start = performance.now();
  for (const letter of 'abcdef') client.say(letter);
  await waitFor('all answers', () => client.answers() === 'ABCDEF');
  expect(performance.now() - start).toBeGreaterThanOrEqual(60);
});

test('cut in the answer happens after the request had its effect', async () => {
  const { echo, proxy } = await arrange();
  await proxy.setMode({ kind: 'cut', afterBytes: 3, direction: 'answer' });
  const client = talk(proxy);
  client.say('hello');
  await waitFor('the end', () => client.end());
  expect(echo.received()).toBe('hello');
  expect(client.answers().length).toBeLessThanOrEqual(3);
});

test('cut in the request happens before it is whole', async () => {
  const { echo, proxy } = await arrange();
  await proxy.setMode({ kind: 'cut', afterBytes: 3, direction: 'request' });
  const client = talk(proxy);
  client.say('hello');
  await waitFor('the end', () => client.end());
  expect(echo.received().length).toBeLessThanOrEqual(3);
  expect(client.answers()).not.toContain('HELLO');
});
