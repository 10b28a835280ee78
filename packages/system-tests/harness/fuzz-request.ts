import type { SeededRandom } from '@passport/testkit';
import { parseWebhookSecret, signDelivery } from '@passport/contract';
import { buildFuzzBody } from './fuzz-body.ts';

/** One request as it goes over the wire. */
export interface FuzzRequest {
  /** What is written, piece by piece. */
  readonly pieces: readonly Buffer[];
  /** `whole`: an answer must come. `cut`: the sender hangs up after the last piece. `stalls`: it sends no more. */
  readonly end: 'whole' | 'cut' | 'stalls';
  /** The only status that is right, where it is known. */
  readonly status: number | null;
}

type Header = readonly [name: string, value: string];
interface Draft {
  method: string;
  path: string;
  version: string;
  headers: Header[];
  body: Buffer;
  /** Whether everything is still as it must be. */
  isGood: boolean;
}

const SIGNINGS = ['other secret', 'other time', 'same id'] as const;
type Signing = (typeof SIGNINGS)[number] | 'good';

const SIGNED = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
const latin1 = (random: SeededRandom, longest: number, from = 0x20): string =>
  Buffer.from(Array.from({ length: random.int(longest) }, () => from + random.int(256 - from))).toString(
    'latin1',
  );

/** What may be wrong with a request beside its body. */
const CHANGES: readonly ((draft: Draft, random: SeededRandom) => void)[] = [
  ({ headers }, random) => void headers.splice(random.int(headers.length), 1),
  ({ headers }, random) => void headers.push(random.pick(headers)),
  (draft, random) => {
    const name = random.pick(SIGNED);
    draft.headers = draft.headers.map((header) =>
      header[0] === name ? [name, latin1(random, 200)] : header,
    );
  },
  (draft, random) => {
    const type = random.pick([
      '',
      'text/plain',
      'application/json;',
      'application/',
      'a/b; c="',
      latin1(random, 40),
    ]);
    draft.headers = [...draft.headers.filter(([name]) => name !== 'content-type'), ['content-type', type]];
  },
  (draft, random) => {
    draft.path = random.pick([
      `/webhooks/${encodeURIComponent(latin1(random, 60))}`,
      `/webhooks/riverside/${latin1(random, 30, 0x61)}`,
      '/webhooks/%E0%A4%A',
      '/webhooks/../openapi.json',
      '//webhooks//riverside',
      '/webhooks/riverside?x=1#y',
      '*',
      'http://elsewhere/webhooks/riverside',
      latin1(random, 40, 0x21),
    ]);
  },
  (draft, random) => {
    draft.method = random.pick([
      'GET',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'QUERY',
      'post',
      'BREW',
      '',
    ]);
  },
  (draft, random) => {
    draft.version = random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', '']);
  },
  ({ headers }, random) => {
    for (let n = random.int(60); n >= 0; n -= 1) headers.push([`x-${n}`, latin1(random, 200)]);
  },
  ({ headers }, random) =>
    void headers.push(
      random.pick<Header>([
        ['expect', '100-continue'],
        ['expect', 'x'],
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
        ['content-encoding', 'gzip'],
        ['transfer-encoding', 'gzip, chunked'],
        ['content-length', '-1'],
        ['te', 'trailers'],
        ['x-forwarded-for', latin1(random, 100)],
      ]),
    ),
  ({ headers }, random) => void headers.push([latin1(random, 20), latin1(random, 20, 0)]),
];

/**
 * Request number `n` of the run with this generator. Everything about it follows from the generator, apart from the
 * time and the signature over it.
 */
export function buildFuzzRequest(random: SeededRandom, n: number, secret: string): FuzzRequest {
  const { bytes, isEvent } = buildFuzzBody(random);
  const signing = random.next() < 0.15 ? random.pick(SIGNINGS) : 'good';
  const draft: Draft = {
    method: 'POST',
    path: '/webhooks/riverside',
    version: 'HTTP/1.1',
    headers: signedHeaders(random, signing === 'same id' ? 'fuzz_same' : `fuzz_${n}`, secret, bytes, signing),
    body: bytes,
    isGood: isEvent && signing === 'good',
  };
  if (random.next() < 0.5) {
    draft.isGood = false;
    for (let times = random.int(3); times >= 0; times -= 1) random.pick(CHANGES)(draft, random);
  }
  const written = frame(draft, random);
  const end = random.next() < 0.04 ? 'cut' : random.next() < 0.004 ? 'stalls' : 'whole';
  const sent = end === 'whole' ? written : written.subarray(0, random.int(written.length));
  return { pieces: split(sent, random), end, status: draft.isGood && end === 'whole' ? 202 : null };
}

function signedHeaders(
  random: SeededRandom,
  id: string,
  secret: string,
  body: Buffer,
  signing: Signing,
): Header[] {
  const key = signing === 'other secret' ? Buffer.alloc(32, random.int(256)) : parseWebhookSecret(secret);
  const off = signing === 'other time' ? random.pick([-301, 310, 86_400]) : 0;
  const timestamp = Math.floor(Date.now() / 1000) + off;
  const signed = signDelivery({ secrets: [key], id, timestamp, body });
  const type = random.pick(['application/json', 'Application/JSON', 'application/json; charset=utf-8']);
  return [['host', 'receiver'], ['content-type', type], ...Object.entries(signed)];
}

/** With a length, or in chunks; sometimes with a length that is wrong. */
function frame(draft: Draft, random: SeededRandom): Buffer {
  const { method, path, version, headers, body } = draft;
  const way = random.next();
  if (way < 0.15) {
    const chunks = split(body, random).map((piece) =>
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
    );
    return Buffer.concat([
      head(method, path, version, [...headers, ['transfer-encoding', 'chunked']]),
      ...chunks,
      Buffer.from('0\r\n\r\n'),
    ]);
  }
  const length = way < 0.97 ? body.length : random.int(body.length + 1);
  if (length !== body.length) draft.isGood = false;
  return Buffer.concat([head(method, path, version, [...headers, ['content-length', String(length)]]), body]);
}

function head(method: string, path: string, version: string, headers: readonly Header[]): Buffer {
  const lines = [`${method} ${path} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function split(bytes: Buffer, random: SeededRandom): Buffer[] {
  if (bytes.length === 0) return [];
  const cuts = Array.from({ length: random.int(4) }, () => 1 + random.int(bytes.length)).sort(
    (a, b) => a - b,
  );
  const ends = [...new Set([...cuts, bytes.length])];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}
