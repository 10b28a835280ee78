import { crash, problem, type Answer } from '../answer.ts';
import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import type { AttributeValue } from './attribute-check.ts';
import { unwritableEmbeds } from './patron-definition.ts';
import { patronFields, type PatronField } from './patron-fields.ts';

/** A checked body in two parts: columns to write, and the attributes if it names any. */
export interface PatronBody {
  readonly columns: Readonly<Record<string, unknown>>;
  readonly attributes: readonly AttributeValue[] | null;
}

const fieldByName = new Map(patronFields.map((field) => [field.name, field]));
const scrubbed = new Set(['staff_notes', 'opac_notes']);
const allowedTags = /^(?:\/?(?:b|i|em|strong|u|br|hr|p|ul|ol|li|small|big|span|div))$/i;

/** Koha's own treatment of what comes in: blanks trimmed, notes scrubbed, surname perhaps in capitals. */
export function readPatronBody(double: Double, method: 'POST' | 'PUT', body: unknown): PatronBody | Answer {
  if (!isRecord(body)) return crash();
  if (unwritableEmbeds.some((name) => Object.hasOwn(body, name))) return crash();
  const columns: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'extended_attributes') continue;
    const field = fieldByName.get(name);
    if (field?.kind === 'date-time' && typeof value === 'string' && !/(?:[Zz]|[+-]\d\d:\d\d)$/.test(value)) {
      return method === 'POST'
        ? problem(400, 'Given  does not exist')
        : problem(400, 'Invalid parameter(s)', { parameters: name });
    }
    columns[name] = tidy(double, name, value);
  }
  return { columns, attributes: attributesOf(body['extended_attributes']) };
}

export function isAnswer(value: object): value is Answer {
  return 'status' in value;
}

/** Whether some text is too long for its column: the database refuses, the API does not say why. */
export function overflowsColumn(columns: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(columns).some(([name, value]) => {
    const field = fieldByName.get(name);
    return typeof value === 'string' && field !== undefined && isTooLong(value, field);
  });
}

function isTooLong(text: string, field: PatronField): boolean {
  if (field.chars !== undefined) return text.length > field.chars && [...text].length > field.chars;
  return field.bytes !== undefined && Buffer.byteLength(text) > field.bytes;
}

function tidy(double: Double, name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (name === 'surname' && double.settings.preferences.uppercasesurnames === '1') return text.toUpperCase();
  return scrubbed.has(name) ? scrub(text) : text;
}

function scrub(text: string): string {
  return text.replace(/<([^<>]*)>/g, (tag, inside: string) =>
    allowedTags.test(inside.split(/[\s/]*(?=\s|$)/)[0] ?? '') ? tag : '',
  );
}

function attributesOf(value: unknown): readonly AttributeValue[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter(isRecord).map((one) => ({
    type: String(one['type']),
    value: typeof one['value'] === 'string' ? one['value'] : null,
  }));
}
