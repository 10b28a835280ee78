import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type ParsedEvent, ageAtDeliveryMs, dayOfScan, parseEvent } from '@passport/contract';

interface Vectors {
  cases: { name: string; delivered_at: number; body: unknown; expect: unknown }[];
}
const { cases } = JSON.parse(
  readFileSync(new URL('../vectors/events.json', import.meta.url), 'utf8'),
) as Vectors;

function shown(parsed: ParsedEvent): unknown {
  if (parsed.kind === 'invalid') return { kind: parsed.kind, field: parsed.field };
  if (parsed.kind !== 'patron.not_found') return parsed;
  const { itemBarcode, scannedAt, decides, desk, ...event } = parsed.event;
  const more = {
    item_barcode: itemBarcode,
    scanned_at: scannedAt,
    ...(decides.length > 0 && { decides }),
    ...(desk !== null && { desk }),
  };
  return { kind: parsed.kind, event: { ...event, ...more } };
}

describe('event vectors', () => {
  test.each(cases)('$name', (vector) => {
    expect(shown(parseEvent(vector.body, vector.delivered_at))).toEqual(vector.expect);
  });

  test('a field is named, its value is not', () => {
    const card = 'CARD-THAT-IS-MUCH-TOO-LONG-TO-BE-ONE-4711';
    const parsed = parseEvent(
      {
        type: 'patron.not_found',
        timestamp: '2026-11-25T09:00:00Z',
        data: { cardnumber: card, branch: 'MAIN', interface: card },
      },
      1795597200,
    );
    expect(JSON.stringify(parsed)).not.toContain('4711');
  });
});

describe('the time of a scan', () => {
  const at = (timestamp: string) =>
    parseEvent(
      { type: 'patron.not_found', timestamp, data: { cardnumber: '1', branch: 'MAIN', interface: 'staff' } },
      1795597200,
    );

  test.each(['2026-11-25T09:00:00Z', '2026-11-25T09:00:00.123456789+00:00', '2026-11-25T10:00:00.1+01:00'])(
    'may be as exact as any clock is: %s',
    (timestamp) => {
      expect(at(timestamp)).toMatchObject({ kind: 'patron.not_found', event: { scannedAt: timestamp } });
    },
  );

  test.each([10, 15_000])('is refused by its name with %i digits of a second, since it is kept', (digits) => {
    expect(at(`2026-11-25T09:00:00.${'1'.repeat(digits)}+00:00`)).toMatchObject({
      kind: 'invalid',
      field: 'timestamp',
    });
  });
});

describe('the age of a scan', () => {
  test('is the time between the two stamps of the sender, whatever our clock says', () => {
    expect(ageAtDeliveryMs('2001-01-01T00:00:00.500Z', 978307205)).toBe(4500);
  });
  test('is never negative', () => {
    expect(ageAtDeliveryMs('2001-01-01T00:00:09Z', 978307205)).toBe(0);
  });
  test('its day is the date where the card was scanned', () => {
    expect(dayOfScan('2026-11-25T23:30:00-11:00')).toBe('2026-11-25');
  });
});
