/** One message of SIP 2.00 as it came in: its code, what stands at fixed places, and its fields by their two letters. */
export interface SipMessage {
  readonly code: string;
  readonly fixed: string;
  readonly fields: ReadonlyMap<string, string>;
  /** The sequence number, where the sender wants errors of transmission detected. */
  readonly sequence: string | null;
}

/** How much of a message stands at fixed places (`template_len` of `C4/SIP/Sip/MsgType.pm`, protocol 2). */
const FIXED = new Map([
  ['93', 2],
  ['23', 21],
  ['63', 31],
  ['01', 19],
  ['37', 25],
  ['11', 38],
  ['09', 37],
]);

/** The sum that makes all bytes of a message 0 (`C4/SIP/Sip/Checksum.pm`). */
const checksum = (text: string): string => {
  const sum = Buffer.from(text).reduce((total, byte) => total + byte, 0);
  return (-sum & 0xffff).toString(16).toUpperCase().padStart(4, '0');
};

/** `wrong`: its checksum; `unknown`: Koha has no handler that this stand-in shows. As `handle` of `C4/SIP/Sip/MsgType.pm` reads it. */
export function parseMessage(line: string): SipMessage | 'wrong' | 'unknown' {
  const isChecked = line.length > 11 && line.slice(-9, -7) === 'AY';
  if (isChecked && line.slice(-4) !== checksum(line.slice(0, -4))) return 'wrong';
  const text = isChecked ? line.slice(0, -9) : line;
  const code = text.slice(0, 2);
  const length = FIXED.get(code);
  if (length === undefined) return 'unknown';
  const fields = new Map<string, string>();
  for (const field of text.slice(2 + length).split('|')) {
    const name = field.slice(0, 2);
    // Of a field that comes twice the first counts.
    if (name !== '' && !fields.has(name)) fields.set(name, field.slice(2));
  }
  const sequence = isChecked ? line.slice(-7, -6) : null;
  return { code, fixed: text.slice(2, 2 + length), fields, sequence };
}

/** `write_msg` of `C4/SIP/Sip.pm`, with Koha's default terminator. */
export function formatMessage(text: string, sequence: string | null): string {
  if (sequence === null) return `${text}\r\n`;
  const summed = `${text}AY${sequence}AZ`;
  return `${summed}${checksum(summed)}\r\n`;
}

/** `add_field`: the delimiter within a value is written as an entity. */
export const field = (name: string, value: string): string => `${name}${value.replaceAll('|', '&#124;')}|`;

/** `SIP_DATETIME`, of a moment such as `2026-11-29T19:00:00+01:00`, by the server's own clock. */
export const sipTime = (moment: string): string =>
  `${moment.slice(0, 10).replaceAll('-', '')}    ${moment.slice(11, 19).replaceAll(':', '')}`;
