import { parseJsonBody } from './json-body.ts';
import type { RawAnswer } from './read-answer.ts';

/**
 * What an answer looks like, without anything that it says: its operation, status, and by the path of each part of its JSON
 * (`[].extended_attributes[].type`) the types that stood there, such as `null|string`.
 */
export interface AnswerShape {
  readonly operation: string;
  readonly status: number;
  readonly parts: Readonly<Record<string, string>>;
}

/** More than any record of Koha has; the rest of a longer answer is not looked at. */
const MOST_PARTS = 400;
const MOST_ROWS = 100;
/** Names of Koha's columns, of its reasons and of nothing else: keys of strangers do not leave. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,40}$/;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** The shape of an answer. Pure; its size is bounded. */
export function shapeOf({
  operation,
  status,
  ...answer
}: RawAnswer & { readonly operation: string }): AnswerShape {
  const parts = new Map<string, Set<string>>();
  const walk = (value: unknown, path: string): void => {
    const known = parts.get(path);
    if (known === undefined && parts.size >= MOST_PARTS) return;
    parts.set(path, (known ?? new Set()).add(typeOf(value)));
    if (Array.isArray(value)) for (const each of value.slice(0, MOST_ROWS)) walk(each, `${path}[]`);
    else if (typeof value === 'object' && value !== null)
      for (const [name, part] of Object.entries(value)) {
        if (NAME.test(name)) walk(part, path === '' ? name : `${path}.${name}`);
      }
  };
  const body = parseJsonBody(answer);
  if (body !== undefined) walk(body, '');
  const sorted = [...parts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const named = sorted.map(([path, types]) => [path, [...types].toSorted().join('|')] as const);
  return { operation, status, parts: Object.fromEntries(named) };
}
