import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { startFakeReceiver, webhookSecret } from './support/fake-receiver.ts';
import { withKoha, type TestKoha, type TestOptions } from './support/with-koha.ts';

const CARD = '21234000000017';
const sip = { user: 'kiosk', password: 'words', institution: 'NORTH' };
const DAY = '20261129    190000';
const information = (card: string): string => `63000${DAY}${' '.repeat(10)}AONORTH|AA${card}|AC|`;

/** What the server says to these messages, until it ends the connection or has answered as often as was asked. */
function converse(koha: TestKoha, lines: readonly string[]): Promise<string[]> {
  return new Promise((resolve) => {
    let text = '';
    const answers = (): string[] => text.split('\r\n').filter((line) => line !== '');
    const socket = connect({ host: '127.0.0.1', port: koha.sipPort ?? 0 });
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.once('connect', () => lines.forEach((line) => socket.write(`${line}\r`)));
    socket.once('close', () => resolve(answers()));
    socket.on('data', (piece: string) => {
      text += piece;
      if (answers().length === lines.length) socket.destroy();
    });
  });
}

const LOGIN = '9300CNkiosk|COwords|CPNORTH|';
const at = (options: TestOptions, run: (koha: TestKoha) => Promise<void>): Promise<void> =>
  withKoha({ sip, now: () => Date.parse('2026-11-29T18:00:00Z'), ...options }, run);

describe('the SIP server', () => {
  test('answers a card that nobody has as Koha does: all is denied, and it is said to be invalid', () =>
    at({}, async (koha) => {
      expect(await converse(koha, [LOGIN, information('0815')])).toEqual([
        '941',
        `64YYYY${' '.repeat(10)}00020261129    180000${'0000'.repeat(6)}AONORTH|AA0815|AE|BLN|AFInvalid cardnumber|`,
      ]);
    }));

  test('shows a patron, and refuses any PIN of one', () =>
    at({}, async (koha) => {
      koha.putPatron(CARD, { surname: 'Ko|vač', firstname: 'Ana', category_id: 'PT' });
      const [, answer] = await converse(koha, [LOGIN, `${information(CARD)}AD1234|`]);
      expect(answer).toBe(
        `64${' '.repeat(14)}00020261129    180000${'0000'.repeat(6)}AONORTH|AA${CARD}|AEAna Ko&#124;vač|BLY|CQN|CC5|PCPT|AFGreetings from Koha. |`,
      );
    }));

  test('shows a patron whose status is requested or who is blocked, and takes a fee', () =>
    at({}, async (koha) => {
      koha.putPatron(CARD, { surname: 'Kovač', firstname: 'Ana', category_id: 'PT', account_balance: 7 });
      const who = `00020261129    180000AEAna Kovač|AA${CARD}|BLY|CQN|`;
      const [, status, blocked, paid] = await converse(koha, [
        LOGIN,
        `23000${DAY}AONORTH|AA${CARD}|AD1234|`,
        `01N${DAY}AONORTH|ALlost|AA${CARD}|`,
        `37${DAY}0100EURBV5.00|AONORTH|AA${CARD}|`,
      ]);
      expect(status).toBe(`24${' '.repeat(14)}${who}AFGreetings from Koha.  -- Invalid password|AONORTH|`);
      expect(blocked).toBe(`24YYYY${' '.repeat(10)}${who}AFBlock feature not implemented|AONORTH|`);
      expect(paid).toBe(`38Y20261129    180000AONORTH|AA${CARD}|`);
      expect(koha.state(CARD).patrons[0]).toMatchObject({ account_balance: 2, restricted: false });
    }));

  test('of 26.05 answers who pays with a card that nobody has', () =>
    at({ release: '26.05' }, async (koha) => {
      const [, paid] = await converse(koha, [LOGIN, `37${DAY}0100EURBV5.00|AONORTH|AA0815|`]);
      expect(paid).toBe('38N20261129    180000AONORTH|AA0815|AFInvalid patron barcode.|');
    }));

  test('sums what it answers to a message with a sum, and asks for it again where that is wrong', () =>
    at({ sip: { user: 'LoginUserID', password: 'LoginPassword', institution: 'MAIN' } }, async (koha) => {
      const login = '9300CNLoginUserID|COLoginPassword|CPLocationCode|AY5AZ';
      // FEF6 is written out in Koha (`C4/SIP/Sip/Constants.pm`, REQUEST_SC_RESEND_CKSUM).
      expect(await converse(koha, [`${login}EC78`, `${login}EC7B`])).toEqual(['96AZFEF6', '941AY5AZFDF8']);
    }));

  test.each([
    ['a message before the login ends the connection', [information(CARD), LOGIN], []],
    ['a refused login may be repeated', ['9300CNkiosk|COguess|', LOGIN], ['940', '941']],
    ['what has no handler is asked for again', [LOGIN, '9900802.00'], ['941', '96']],
    [
      'a status request is answered without a hook, a card that nobody has as invalid',
      [LOGIN, `23000${DAY}AONORTH|AA0815|`],
      ['941', `24YYYY${' '.repeat(10)}00020261129    180000AE|AA0815|BLN|AFInvalid cardnumber|AONORTH|`],
    ],
    [
      'a card that nobody has cannot be blocked: the connection ends',
      [LOGIN, `01N${DAY}AONORTH|ALlost|AA0815|`, information('0815')],
      ['941'],
    ],
    [
      'nobody pays with a card that nobody has: the connection ends',
      [LOGIN, `37${DAY}0100EURBV5.00|AONORTH|AA0815|`, information('0815')],
      ['941'],
    ],
  ])('%s', (_what, lines, answers) =>
    at({}, async (koha) => {
      expect(await converse(koha, lines)).toEqual(answers);
    }),
  );

  test.each([
    ['24.11', 'N'],
    ['26.05', 'Y'],
  ] as const)('Koha %s finds a patron by a unique attribute: %s', (release, isFound) =>
    at({ release }, async (koha) => {
      koha.putPatron(CARD, { userid: 'ana', extended_attributes: [{ type: 'PASSPORTED_ID', value: 'A-1' }] });
      const [, byLogin, byValue] = await converse(koha, [LOGIN, information('ana'), information('A-1')]);
      expect(byLogin).toContain(`|AA${CARD}|`);
      expect(byValue).toContain(`|BL${isFound}|`);
    }),
  );

  test('the plugin reports no card of an account that is not named as a kiosk, and Koha answers at once', async () => {
    const receiver = await startFakeReceiver();
    const other = { receiver_url: receiver.url, secret: webhookSecret, library: 'midland', patterns: ['.'] };
    const webhook = { ...other, staff_wait_ms: 2_000, self_check_wait_ms: 2_000, sip: ['kiosk2', 'kios'] };
    try {
      await at({ settings: { webhook } }, async (koha) => {
        expect((await converse(koha, [LOGIN, information(CARD)]))[1]).toContain('|BLN|');
        koha.putSettings({ webhook: { ...webhook, self_check_wait_ms: 0, sip: ['kiosk'] } });
        await converse(koha, [LOGIN, information('21234000000025')]);
        expect(receiver.events).toHaveLength(1);
        expect(receiver.events[0]?.body).toContain('21234000000025');
      });
    } finally {
      receiver.close();
    }
  });

  test('the plugin reports an unknown card as of the account’s institution, and the answer waits for the copy', async () => {
    const receiver = await startFakeReceiver();
    const webhook = { receiverUrl: receiver.url, secret: webhookSecret, selfCheckWaitMs: 2_000 };
    try {
      await at({ webhook, now: Date.now }, async (koha) => {
        const answered = converse(koha, [LOGIN, information(CARD)]);
        while (receiver.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
        koha.putPatron(CARD, { surname: 'Okafor' });
        expect((await answered)[1]).toContain(`|AA${CARD}|`);
        expect(JSON.parse(receiver.events[0]?.body ?? '')).toMatchObject({
          type: 'patron.not_found',
          data: { cardnumber: CARD, branch: 'NORTH', interface: 'sip', operator: null },
        });
      });
    } finally {
      receiver.close();
    }
  });
});
