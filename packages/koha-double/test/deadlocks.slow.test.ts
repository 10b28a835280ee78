import { describe, expect, test } from '@jest/globals';
import { patronBody, type Row } from './support/rows.ts';
import { withKoha, type TestKoha } from './support/with-koha.ts';

/** Sends creates, a number of them open at the same time, and counts those that ended in a 500. */
async function failuresOf(koha: TestKoha, count: number, atOnce: number, attributes = true): Promise<number> {
  let sent = 0;
  let failed = 0;
  const sendNext = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      const { status } = await koha.request('POST', '/api/v1/patrons', { body: copyOf(sent, attributes) });
      if (status !== 201) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendNext));
  return failed;
}

const letters = (number: number): string =>
  String(number).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');

function copyOf(number: number, attributes: boolean): Row {
  const extended_attributes = [
    { type: 'PASSPORTED', value: 'home' },
    { type: 'PASSPORTED_ID', value: `home:${number}` },
  ];
  return patronBody({
    cardnumber: `9000${number}`,
    surname: letters(number),
    ...(attributes ? { extended_attributes } : {}),
  });
}

// Koha/Patron.pm, `extended_attributes`: deletes before it inserts. The shares are those of real runs on MariaDB 11.8; of two, one
// at most is rolled back, and a busy machine overlaps more of them.
describe('creates of patrons with attributes that are open at the same time', () => {
  test.each([
    [1, 0, 0],
    [2, 0.15, 0.5],
    [4, 0.4, 0.75],
  ])('%i at once: between %f and %f of them are rolled back', (atOnce, least, most) =>
    withKoha({ settings: { deadlocks: true } }, async (koha) => {
      const failed = await failuresOf(koha, 120, atOnce);
      expect(failed / 120).toBeGreaterThanOrEqual(least);
      expect(failed / 120).toBeLessThanOrEqual(most);
      expect(koha.state().patrons).toHaveLength(1 + 120 - failed);
    }),
  );

  test('the one that is rolled back says no more than any other error of the database', () =>
    withKoha({ settings: { deadlocks: true, unique_gap_ms: 30 } }, async (koha) => {
      await koha.token();
      const replies = await Promise.all(
        [1, 2].map((number) => koha.request('POST', '/api/v1/patrons', { body: copyOf(number, true) })),
      );
      expect(replies.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 500]);
      expect(replies.find(({ status }) => status === 500)?.body).toEqual({
        error: 'Something went wrong, check Koha logs for details.',
        error_code: 'internal_server_error',
      });
    }));

  test('without attributes none is', () =>
    withKoha({ settings: { deadlocks: true } }, async (koha) => {
      expect(await failuresOf(koha, 30, 4, false)).toBe(0);
    }));

  test('nor where the setting is off', () =>
    withKoha({}, async (koha) => {
      expect(await failuresOf(koha, 60, 4)).toBe(0);
    }));
});
