import { isRecord } from '../record.ts';
import type { OutcomeRow } from './outcome-table.ts';

export const states = ['queued', 'working', 'waiting', 'done', 'failed'] as const;

type Cleaner = (value: unknown) => unknown;

const text: Cleaner = (value) =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 500) : null;
const number: Cleaner = (value) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : null);
const listOf =
  (clean: Cleaner): Cleaner =>
  (value) =>
    Array.isArray(value)
      ? value
          .slice(0, 50)
          .map(clean)
          .filter((item) => item !== null)
      : [];
const objectOf =
  (shape: Readonly<Record<string, Cleaner>>): Cleaner =>
  (value) =>
    isRecord(value) ? cleanedBy(shape, value) : null;
const libraries = listOf(objectOf({ id: text, name: text }));

/** The library's own text, by language: longer than all else, and many at most. */
const texts: Cleaner = (value) =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {})
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .slice(0, 20)
      .filter(([language, words]) => /^[A-Za-z0-9-]{1,35}$/.test(language) && typeof words === 'string')
      .map(([language, words]) => [language, String(words).slice(0, 2_000)]),
  );
const consentShape = { text_id: text, answer_by: text, texts };

/** What of a state leaves the plugin (its `State.pm`): whatever else was reported is left out. */
const stateShape = {
  event_id: text,
  library: text,
  seq: number,
  state: text,
  outcome: text,
  reasons: listOf(text),
  homes: libraries,
  patron_id: number,
  checkout: objectOf({ result: text, keys: listOf(text) }),
  waiting_for: objectOf({ library: text, reason: text, next_try_at: text }),
  problem: objectOf({ library: text, what: text, name: text }),
  consent: (value) => (isRecord(value) && isRecord(value['texts']) ? cleanedBy(consentShape, value) : null),
  observed: objectOf({ category: text }),
  attempt: number,
  libraries,
  message: text,
  scanned_at: text,
  updated_at: text,
} satisfies Readonly<Record<string, Cleaner>>;

export const cleanedState = (reported: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  cleanedBy(stateShape, reported);

function cleanedBy(
  shape: Readonly<Record<string, Cleaner>>,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shape).map(([name, clean]) => [name, clean(value[name])]));
}

/** The state of this event, or null where it is none that can be kept. */
export function stateOf(id: string, state: unknown): OutcomeRow | null {
  if (!isRecord(state) || state['event_id'] !== id) return null;
  const { seq, state: word } = state;
  if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0) return null;
  const known = states.find((one) => one === word);
  return known === undefined ? null : { ...state, event_id: id, seq, state: known };
}
