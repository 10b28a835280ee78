const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/;
const MINUTE_MS = 60_000;

/** Reads the parameters of a list, each at most once, and notes what cannot be understood: the field, and what it takes. */
export interface QueryReader {
  readonly problems: readonly string[];
  /** Null where it is missing or empty. */
  text(name: string): string | null;
  known<T extends string>(name: string, all: readonly T[], what: string): T | null;
  time(name: string): string | null;
}

export function readQuery(parameters: Readonly<Record<string, unknown>>): QueryReader {
  const problems: string[] = [];
  const text = (name: string): string | null => {
    const value = parameters[name];
    if (value === undefined || value === '') return null;
    if (typeof value === 'string') return value;
    problems.push(`${name} is there more than once.`);
    return null;
  };
  return {
    problems,
    text,
    known(name, all, what) {
      const value = text(name);
      const found = all.find((each) => each === value) ?? null;
      if (value !== null && found === null) problems.push(`${name} is ${what}.`);
      return found;
    },
    time(name) {
      const value = text(name);
      if (value === null || timeOf(value) !== null) return value;
      problems.push(`${name} is no time such as 2026-11-26T14:30.`);
      return null;
    },
  };
}

/** Milliseconds of a time in the time zone of the service; null when it is none. */
export function timeOf(text: string): number | null {
  if (!TIME.test(text)) return null;
  const ms = Date.parse(`${text}:00`);
  return Number.isNaN(ms) ? null : ms;
}

/** The bounds of a list by its times; the whole of the last minute. */
export const boundsOf = ({
  from,
  until,
}: {
  readonly from: string | null;
  readonly until: string | null;
}) => ({
  fromMs: from === null ? null : timeOf(from),
  untilMs: until === null ? null : (timeOf(until) ?? 0) + MINUTE_MS - 1,
});

/** An address with these parameters; what is null is left out. */
export function pathWith(path: string, query: Readonly<Record<string, string | null>>): string {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null);
  const text = new URLSearchParams(entries).toString();
  return `${path}${text === '' ? '' : `?${text}`}`;
}

/** A parameter that is missing or repeated names nothing. */
export const oneOf = (parameter: unknown): string | null =>
  typeof parameter === 'string' && parameter !== '' ? parameter : null;
