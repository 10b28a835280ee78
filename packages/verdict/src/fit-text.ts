import type { FieldLimit } from '@passport/koha-client';

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });
const encoder = new TextEncoder();

/**
 * A value as one line of text: control characters and line breaks become one blank, halves of characters go, outer blanks go. HTML is
 * left as what it is, text.
 */
export function cleanText(value: string): string {
  return value
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\p{Cs}/gu, '')
    .trim();
}

/** Whether Koha takes a value of this length. */
export function fits(text: string, limit: FieldLimit): boolean {
  return sizeOf(text, limit) <= mostOf(limit);
}

/**
 * The longest beginning of a text that Koha takes, cut between whole characters as people see them: no half emoji, no letter
 * without its accent. Only one character that alone is too long is cut between its code points.
 */
export function fitText(text: string, limit: FieldLimit): string {
  if (fits(text, limit)) return text;
  const whole = takeWhileFits(segments(text), limit).trimEnd();
  return whole === '' ? takeWhileFits(text, limit) : whole;
}

function* segments(text: string): Generator<string> {
  for (const { segment } of characters.segment(text)) yield segment;
}

function takeWhileFits(parts: Iterable<string>, limit: FieldLimit): string {
  let taken = '';
  let left = mostOf(limit);
  for (const part of parts) {
    left -= sizeOf(part, limit);
    if (left < 0) break;
    taken += part;
  }
  return taken;
}

function sizeOf(text: string, limit: FieldLimit): number {
  return 'bytes' in limit ? encoder.encode(text).length : Array.from(text).length;
}

function mostOf(limit: FieldLimit): number {
  return 'bytes' in limit ? limit.bytes : limit.characters;
}
