import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startKohaDouble, testedReleases, type KohaDouble } from '@passport/koha-double';
import { openSip, type AnswerShape, type SipAccess, type SipConnection } from '../src/index.ts';

const CARD = '21234000000017';
const BARCODE = '39999000000017';
const account = { user: 'kiosk', password: 'wonderful words', institution: 'MAIN' };
const at = (port: number | null, changes: Partial<SipAccess> = {}): SipAccess => ({
  host: '127.0.0.1',
  port: port ?? 0,
  ...account,
  ...changes,
});
const how = { timeoutMs: 2_000, now: Date.now };

describe.each(testedReleases)('a self-check at Koha %s', (release) => {
  let koha: KohaDouble;
  let kiosk: SipConnection;
  const shapes: AnswerShape[] = [];
  beforeAll(async () => {
    koha = await startKohaDouble({ library: 'riverside', release, sip: account });
    koha.putPatron(CARD, { surname: 'Okafor', category_id: 'PT' });
    koha.putItem(BARCODE, {});
    kiosk = await openSip(at(koha.sipPort), { ...how, onShape: (shape) => shapes.push(shape) });
  });
  afterAll(async () => {
    kiosk.close();
    await koha.close();
  });

  test('knows a patron by card, and nobody by another one', async () => {
    expect(await kiosk.patronInformation(CARD)).toEqual({ isValid: true, isBlocked: false });
    expect(await kiosk.patronInformation('21234000000025')).toEqual({ isValid: false, isBlocked: true });
    koha.putPatron(CARD, { restricted: true });
    expect(await kiosk.patronInformation(CARD)).toEqual({ isValid: true, isBlocked: true });
    koha.putPatron(CARD, { restricted: false });
  });

  test('checks an item out and in; a second return is not ok', async () => {
    expect(await kiosk.checkOut('21234000000025', BARCODE)).toEqual({ isOk: false });
    expect(await kiosk.checkOut(CARD, BARCODE)).toEqual({ isOk: true });
    expect(koha.state().checkouts).toMatchObject([{ external_id: BARCODE, library_id: 'MAIN' }]);
    expect(await kiosk.checkIn(BARCODE)).toEqual({ isOk: true });
    expect(koha.state().checkouts).toEqual([]);
    expect(await kiosk.checkIn(BARCODE)).toEqual({ isOk: false });
  });

  test('hands out which fields an answer has, and not what they hold', () => {
    expect(shapes.find(({ operation }) => operation === 'SIP 63')).toEqual({
      operation: 'SIP 63',
      status: 641,
      parts: expect.objectContaining({ '': 'object', AA: 'string', AE: 'string', BL: 'string' }),
    });
    expect(JSON.stringify(shapes)).not.toMatch(/Okafor|\d{14}|wonderful/);
  });

  test('is refused with another password, and learns nothing else', async () => {
    const refused = openSip(at(koha.sipPort, { password: 'guess' }), how);
    await expect(refused).rejects.toMatchObject({ code: 'login', message: 'SIP 93: login' });
  });
});

describe('what is no SIP server', () => {
  let server: Server | null = null;
  afterEach(() => {
    server?.close();
    server = null;
  });

  /** Answers each message with what is next in the list; null ends the connection, and after the last there is silence. */
  async function answering(...answers: readonly (string | null)[]): Promise<number> {
    const left = [...answers];
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        const next = left.shift();
        if (next === null) socket.destroy();
        else if (next !== undefined) socket.write(next);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  const failing = async (port: number): Promise<unknown> => {
    const kiosk = await openSip(at(port), { ...how, timeoutMs: 300 });
    try {
      return await kiosk.patronInformation(CARD).catch((error: unknown) => error);
    } finally {
      kiosk.close();
    }
  };

  test('nobody listens', async () => {
    const port = await answering();
    server?.close();
    await expect(openSip(at(port), how)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test.each<[string, readonly (string | null)[], string]>([
    ['silence', ['941\r\n'], 'timeout'],
    ['an end', ['941\r\n', null], 'closed'],
    ['another message', ['941\r', `98${'Y'.repeat(80)}\r`], 'bad_answer'],
    ['a message that is cut', ['941\r', '64YYYY\r'], 'bad_answer'],
    ['a wrong checksum', ['941\r', `64${' '.repeat(59)}AOMAIN|BLY|AY1AZ0000\r`], 'bad_answer'],
    ['no end of a line', ['941\r', 'x'.repeat(70_000)], 'bad_answer'],
    ['a request to send it again', ['941\r', '96AZFEF6\r'], 'bad_answer'],
  ])('%s', async (_what, answers, code) => {
    const error = await failing(await answering(...answers));
    expect(error).toMatchObject({ name: 'SipError', code, operation: '63' });
    expect(String(error)).not.toContain(CARD);
  });

  test('an answer without a checksum counts: an account can be without', async () => {
    const port = await answering('941\r\n', `64${' '.repeat(59)}AOMAIN|AA1|AE|BLY|\r\n`);
    expect(await failing(port)).toEqual({ isValid: true, isBlocked: false });
  });

  /** What is sent by a client that does everything, each answered with what fits. */
  async function everythingSent(card: string): Promise<string[]> {
    const seen: string[] = [];
    const fitting: Readonly<Record<string, string>> = { '93': '941', '63': '64', '11': '12', '09': '10' };
    server = createServer((socket) => {
      socket.setEncoding('utf8');
      socket.on('error', () => undefined);
      socket.on('data', (text: string) => {
        seen.push(text);
        socket.write(`${(fitting[text.slice(0, 2)] ?? '').padEnd(61)}\r`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const kiosk = await openSip(at(port), { ...how, timeoutMs: 300 });
    await kiosk.patronInformation(card);
    await kiosk.checkOut(card, BARCODE);
    await kiosk.checkIn(BARCODE);
    kiosk.close();
    return seen;
  }

  test('what would end a field does not leave', async () => {
    const [, information] = await everythingSent('1|BLY\r99');
    expect(information).toMatch(/\|AA1 BLY 99\|AY1AZ[0-9A-F]{4}\r$/);
  });

  test('each message is on the page of what is sent to a Koha, with exactly its fields', async () => {
    const page = readFileSync(join(import.meta.dirname, '../calls.md'), 'utf8');
    const listed = [...page.matchAll(/^- `(\d\d)`: `([A-Z ]+)`; /gm)].map(
      ([, code, names]) => `${code} ${names}`,
    );
    const lengths: Readonly<Record<string, number>> = { '93': 4, '63': 33, '11': 40, '09': 39 };
    const sent = (await everythingSent(CARD)).map((text) => {
      const code = text.slice(0, 2);
      const fields = text.slice(lengths[code], text.indexOf('AY')).split('|');
      return `${code} ${fields
        .map((field) => field.slice(0, 2))
        .filter((name) => name !== '')
        .toSorted()
        .join(' ')}`;
    });
    expect(sent).toEqual(listed);
  });
});
