import { describe, expect, test } from '@jest/globals';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import { SECRET, useReceiver, read } from './receiver-fixture.ts';

const receiver = useReceiver();

/** A delivery in the making: what a fault may break of it. */
interface Making {
  body: string;
  secret: string;
  headers: Record<string, string>;
  dropped: string[];
  before: (() => Promise<unknown>)[];
}
interface Fault {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly breaks: (making: Making) => void;
}

const ID = 'evt_order';
const good = (): Making => ({
  body: JSON.stringify(buildScanEvent()),
  secret: SECRET,
  headers: {},
  dropped: [],
  before: [],
});

/** In the order in which the receiver checks. Each can be made beside all that come before it, but for those in `apart`. */
const FAULTS: readonly Fault[] = [
  {
    name: 'too large',
    status: 413,
    code: 'too_large',
    breaks: (making) => void (making.body += ' '.repeat(17_000)),
  },
  {
    name: 'another content type',
    status: 415,
    code: 'unsupported_media_type',
    breaks: (making) => void (making.headers['content-type'] = 'text/plain'),
  },
  {
    name: 'a header is missing',
    status: 400,
    code: 'header_malformed',
    breaks: (making) => void making.dropped.push('webhook-id'),
  },
  {
    name: 'a bad signature',
    status: 401,
    code: 'unauthorized',
    breaks: (making) => void (making.secret = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`),
  },
  {
    name: 'over the rate',
    status: 429,
    code: 'rate_limited',
    breaks: (making) => void making.before.push(useUpRate),
  },
  {
    name: 'not JSON',
    status: 400,
    code: 'not_json',
    breaks: (making) => void (making.body = making.body.slice(0, -1)),
  },
  {
    name: 'a reused id',
    status: 409,
    code: 'id_reused',
    breaks: (making) => void making.before.push(useUpId),
  },
  {
    name: 'a field that does not fit',
    status: 422,
    code: 'invalid_field',
    breaks: (making) => void (making.body = making.body.replace('"MAIN"', '""')),
  },
];

/** As if a whole burst (one second of the rate) had been used just before the clock was set back by an hour. */
async function useUpRate(): Promise<void> {
  const later = Math.floor(Date.now() / 1000) + 3_600;
  await receiver.server.call('SET', '{passport}:rate:riverside', `${later + 1}000000.${later}000000`);
}

async function useUpId(): Promise<void> {
  const body = buildScanEvent({ cardnumber: '21234000000099' });
  await fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id: ID, body }));
}

async function send(making: Making) {
  for (const prepare of making.before) await prepare();
  const { secret, body } = making;
  const { headers } = signedRequest({ secret, body, id: ID });
  const kept = Object.entries({ ...headers, ...making.headers }).filter(
    ([name]) => !making.dropped.includes(name),
  );
  return read(
    fetch(`${receiver.url}/webhooks/riverside`, { method: 'POST', headers: Object.fromEntries(kept), body }),
  );
}

/** `first` and every fault behind it, made from the last to the first, so that preparations do not hinder each other. */
const from = (first: number): readonly Fault[] =>
  FAULTS.slice(first).flatMap((_, index) => FAULTS.at(-1 - index) ?? []);

describe('the order of the checks', () => {
  test.each(FAULTS.map((fault, first) => ({ ...fault, first })))(
    '$name alone: $status $code',
    async ({ status, code, breaks }) => {
      const making = good();
      breaks(making);

      const answer = await send(making);

      expect(answer.body).toMatchObject({ status, code });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(await receiver.jobs()).toHaveLength(code === 'id_reused' ? 1 : 0);
    },
  );

  test.each(FAULTS.map((fault, first) => ({ ...fault, first })))(
    '$name is answered before everything that is checked later',
    async ({ code, first }) => {
      const making = good();
      for (const fault of from(first)) fault.breaks(making);

      expect((await send(making)).body.code).toBe(code);
    },
  );
});
