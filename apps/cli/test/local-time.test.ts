import { expect, test } from '@jest/globals';
import { localDay, localTimestamp } from '../src/program/local-time.ts';

/** This machine's offset as the platform writes it, such as `GMT+05:30`; Greenwich itself may come without digits. */
const offsetAt = (ms: number): string =>
  new Intl.DateTimeFormat('en', { timeZoneName: 'longOffset' })
    .formatToParts(ms)
    .find(({ type }) => type === 'timeZoneName')?.value ?? '';

test.each(['2026-01-15T00:30:00.250Z', '2026-07-15T23:45:59.000Z', '2026-11-25T12:00:00.000Z'])(
  'a timestamp is the same moment (%s), with the offset and the day of this machine',
  (iso) => {
    const ms = Date.parse(iso);
    const timestamp = localTimestamp(ms);
    expect(new Date(timestamp).toISOString()).toBe(iso);
    expect(`GMT${timestamp.slice(23)}`).toBe(offsetAt(ms).replace(/^GMT$/, 'GMT+00:00'));
    const day = new Date(ms);
    expect(localDay(ms).split('-').map(Number)).toEqual([
      day.getFullYear(),
      day.getMonth() + 1,
      day.getDate(),
    ]);
  },
);
