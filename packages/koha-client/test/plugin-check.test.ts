import { afterEach, describe, expect, test } from '@jest/globals';
import { json, startTinyKoha, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha | undefined;
afterEach(() => koha?.close());

const ROUTE = 'POST /api/v1/contrib/passport/check';
const NONCE = 'n0nce-n0nce-n0nce-n0nce_';
const SAID = {
  library: 'riverside',
  receiver_url: 'https://passport.example.org:8443/in',
  secret_from: 'koha-conf',
  proof: `${'A'.repeat(43)}=`,
  serves: { staff: true, self_check: false, sip: true, copies: true },
  findings: [{ finding: 'receiver_ok', level: 'ok', name: null, figure: 12 }],
  serves_you: 'yes',
  card_patterns: [String.raw`^21234\d{9}$`],
};

async function check(answer: unknown, status = 200) {
  koha = await startTinyKoha({ [ROUTE]: json(status, answer) });
  return koha.client().checkPlugin(NONCE);
}

test('the plugin says how it is configured, and proves its secret for our nonce', async () => {
  expect(await check(SAID)).toEqual(SAID);
  const [call] = koha?.calls() ?? [];
  expect(JSON.parse(call?.body ?? '')).toEqual({ nonce: NONCE });
});

test.each(['short', 'evt_1.1795597200.{"type":"patron.not_found"}', 'x'.repeat(65)])(
  'a nonce that could be a delivery is not sent (%s)',
  async (nonce) => {
    koha = await startTinyKoha({ [ROUTE]: json(200, SAID) });
    await expect(koha.client().checkPlugin(nonce)).rejects.toThrow(RangeError);
    expect(koha.calls()).toEqual([]);
  },
);

describe('of its answer only what can be true leaves the client', () => {
  test.each<[what: string, change: object, left: object]>([
    ['an id that is none', { library: 'evil: log in' }, { library: null }],
    ['an address with a password', { receiver_url: 'https://user:secret@x.example' }, { receiver_url: null }],
    ['an address with a query', { receiver_url: 'https://x.example/?evil' }, { receiver_url: null }],
    ['an address without an end', { receiver_url: `https://${'x'.repeat(400)}` }, { receiver_url: null }],
    ['a proof that is none', { proof: 'evil' }, { proof: null }],
    [
      'texts of a stranger',
      {
        findings: [
          { finding: 'type_missing', level: 'fault', name: 'evil: log in', figure: 'x', more: 'evil' },
        ],
      },
      { findings: [{ finding: 'type_missing', level: 'fault', name: null, figure: null }] },
    ],
  ])('%s', async (_what, change, left) => {
    expect(await check({ ...SAID, ...change })).toEqual({ ...SAID, ...left });
  });

  test.each([
    ['yes', 'yes'],
    ['nobody', 'nobody'],
    ['evil', null],
    [undefined, null],
  ])('whether it serves this user: %j is %j', async (expected, read) => {
    expect(await check({ ...SAID, serves_you: expected })).toEqual({ ...SAID, serves_you: read });
  });

  test.each<[what: string, answer: unknown]>([
    ['nothing', {}],
    ['no page of ours', { ...SAID, serves: 'yes' }],
    ['findings of text', { ...SAID, findings: 'evil' }],
    ['a finding in words', { ...SAID, findings: [{ ...SAID.findings[0], finding: 'log in here' }] }],
    ['another level', { ...SAID, findings: [{ ...SAID.findings[0], level: 'evil' }] }],
    ['findings without an end', { ...SAID, findings: Array.from({ length: 501 }, () => SAID.findings[0]) }],
  ])('%s is a bad answer', async (_what, answer) => {
    await expect(check(answer)).rejects.toMatchObject({ code: 'bad_answer', effect: 'none' });
  });
});

test('a plugin that has no such route is not found', async () => {
  await expect(check({ error: 'Not found' }, 404)).rejects.toMatchObject({
    code: 'unexpected_status',
    status: 404,
  });
});
