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
  const size = (part: string): number => sizeOf(part, limit);
  const whole = takeCharacters(text, size, mostOf(limit));
  return whole === '' ? takeParts(text, size, mostOf(limit)) : whole;
}

/** The longest beginning of whole characters whose sizes add up to `most` at the most, without a blank at its end. */
export function takeCharacters(text: string, size: (part: string) => number, most: number): string {
  return takeParts(segments(text), size, most).trimEnd();
}

function* segments(text: string): Generator<string> {
  for (const { segment } of characters.segment(text)) yield segment;
}

function takeParts(parts: Iterable<string>, size: (part: string) => number, most: number): string {
  let taken = '';
  let left = most;
  for (const part of parts) {
    left -= size(part);
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
