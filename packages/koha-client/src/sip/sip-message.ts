/** What Koha answered: its code, what stands at fixed places, and its fields by their two letters (the first of each). */
export interface SipAnswer {
  readonly code: string;
  readonly head: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Where the fields of an answer begin, of those that are asked for here. */
const HEADS = new Map([
  ['94', 3],
  ['64', 61],
  ['12', 24],
  ['10', 24],
]);

/** SIP 2.00: the sum that makes all bytes of a message 0. */
function checksumOf(text: string): string {
  let sum = 0;
  for (const byte of Buffer.from(text)) sum += byte;
  return (0x10000 - (sum & 0xffff)).toString(16).slice(-4).toUpperCase().padStart(4, '0');
}

/** A moment as SIP writes it, by the clock of this machine. */
export function sipTimeOf(ms: number): string {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  return `${date.replaceAll('-', '')}   Z${time.slice(0, 8).replaceAll(':', '')}`;
}

/** One message with its checksum. A field cannot hold what ends it. */
export function formatRequest(
  head: string,
  fields: readonly (readonly [name: string, value: string])[],
  sequence: number,
): string {
  const text = fields.map(([name, value]) => `${name}${value.replaceAll(/[|\r\n]/g, ' ')}|`).join('');
  const summed = `${head}${text}AY${sequence}AZ`;
  return `${summed}${checksumOf(summed)}\r`;
}

/** Reads an answer; null where it is none to what was asked, was cut, or has another sequence number or checksum than it should. */
export function parseAnswer(line: string, code: string, sequence: number): SipAnswer | null {
  const checked = /^(.*)AY(\d)AZ([0-9A-F]{4})$/s.exec(line);
  if (checked !== null && (checked[2] !== String(sequence) || checked[3] !== checksumOf(line.slice(0, -4))))
    return null;
  const text = checked?.[1] ?? line;
  const start = HEADS.get(code) ?? 0;
  if (!text.startsWith(code) || text.length < start) return null;
  const fields = new Map<string, string>();
  for (const part of text.slice(start).split('|')) {
    const name = part.slice(0, 2);
    if (name.length === 2 && !fields.has(name)) fields.set(name, part.slice(2));
  }
  return { code, head: text.slice(0, start), fields };
}
