/** Intervals that no configuration has. Tests hand down shorter ones, so that they need not wait for these. */
export interface Timings {
  /** How often what was written into copies is stored at the lending libraries: beside the scans, no desk waits for it. */
  readonly rememberMs: number;
}

const TIMINGS: Timings = { rememberMs: 15_000 };

/** The usual timings, with those that a test has put into the environment as JSON. Throws where that is no object of positive numbers. */
export function readTimings(text = '{}'): Timings {
  const given = JSON.parse(text) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(given))
    if (!(name in TIMINGS) || typeof value !== 'number' || !(value > 0))
      throw new Error(`PASSPORT_TEST_TIMINGS: ${name} is no timing`);
  return { ...TIMINGS, ...given };
}
