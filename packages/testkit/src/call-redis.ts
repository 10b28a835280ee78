import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How to reach a redis-server without a Redis library. */
export interface RedisAddress {
  readonly port: number;
  readonly password?: string;
  readonly ca?: Buffer;
}

export type RedisReply = string | number | null | readonly RedisReply[];

/**
 * Sends one command on its own connection and returns the reply; an error reply rejects with its text. Waits
 * `timeoutMs` (1 s). For tests and for starting servers, not for speed.
 */
export function callRedis(
  address: RedisAddress,
  command: readonly string[],
  timeoutMs = 1_000,
): Promise<RedisReply> {
  const commands = address.password === undefined ? [command] : [['AUTH', address.password], command];
  return new Promise((resolve, reject) => {
    const { port, ca } = address;
    const socket =
      ca === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' });
    let received = '';
    const end = (finish: () => void) => {
      socket.destroy();
      finish();
    };
    socket.setTimeout(timeoutMs, () => end(() => reject(new Error('Redis did not answer'))));
    socket.once('error', (error: Error) => end(() => reject(error)));
    socket.once('close', () => reject(new Error('Redis closed the connection')));
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const replies = readReplies(received);
      const failed = replies.find((reply) => reply instanceof Error);
      if (failed !== undefined) end(() => reject(failed));
      else if (replies.length === commands.length) end(() => resolve(replies.at(-1) as RedisReply));
    });
    for (const args of commands) socket.write(encode(args));
  });
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

interface Read {
  readonly reply: RedisReply | Error;
  readonly next: number;
}

function readReplies(text: string): (RedisReply | Error)[] {
  const replies: (RedisReply | Error)[] = [];
  let at = 0;
  for (let read = readReply(text, at); read !== null; read = readReply(text, at)) {
    replies.push(read.reply);
    at = read.next;
  }
  return replies;
}

/** One RESP2 reply at `at`, or null while it has not come whole. */
function readReply(text: string, at: number): Read | null {
  const end = text.indexOf('\r\n', at);
  if (end === -1) return null;
  const line = text.slice(at + 1, end);
  const next = end + 2;
  switch (text[at]) {
    case '+':
      return { reply: line, next };
    case '-':
      return { reply: new Error(line), next };
    case ':':
      return { reply: Number(line), next };
    case '$':
      return readBulk(text, Number(line), next);
    case '*':
      return readArray(text, Number(line), next);
    default:
      return { reply: new Error('not a reply of Redis'), next };
  }
}

function readBulk(text: string, length: number, from: number): Read | null {
  if (length === -1) return { reply: null, next: from };
  const end = from + length;
  return text.length < end + 2 ? null : { reply: text.slice(from, end), next: end + 2 };
}

function readArray(text: string, length: number, from: number): Read | null {
  const list: RedisReply[] = [];
  let next = from;
  for (let index = 0; index < length; index += 1) {
    const read = readReply(text, next);
    if (read === null) return null;
    list.push(read.reply instanceof Error ? read.reply.message : read.reply);
    next = read.next;
  }
  return { reply: list, next };
}
