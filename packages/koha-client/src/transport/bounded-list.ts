import * as z from 'zod';

/** A list of at most `max`; a longer one is refused before any of its elements is looked at. */
export function boundedList<T extends z.ZodType>(element: T, max: number) {
  return z.preprocess((list) => (Array.isArray(list) && list.length > max ? null : list), z.array(element));
}
