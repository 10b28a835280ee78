import { type PatronField, patronFields } from './patron-fields.ts';

const fieldByName = new Map(patronFields.map((field) => [field.name, field]));

/** The columns as a database without strict modes stores them: what is too long is cut, without a word. */
export function cutColumns(columns: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => {
      const field = fieldByName.get(name);
      return [name, typeof value === 'string' && field !== undefined ? cutText(value, field) : value];
    }),
  );
}

/** Cuts between characters, as the database does. */
export function cutText(text: string, width: Pick<PatronField, 'chars' | 'bytes'>): string {
  const { chars, bytes } = width;
  if (chars !== undefined && text.length > chars) return [...text].slice(0, chars).join('');
  if (bytes === undefined || Buffer.byteLength(text) <= bytes) return text;
  return new TextDecoder('utf-8').decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
