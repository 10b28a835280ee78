import { SCENARIOS, type Scene, type Seen } from './check-scenarios.ts';
import type { RunningDemo } from './start-demo.ts';
import { createReceiverClient } from '@passport/testkit';

/** One row of the report of `npm run demo -- --check`. */
export interface CheckedScenario {
  readonly scenario: string;
  readonly ok: boolean;
  readonly outcome: string | null;
  readonly checkout: string | null;
  /** From the scan to its outcome. */
  readonly ms: number;
  /** Calls to every Koha but for tokens, API descriptions and plugin routes. */
  readonly koha_calls: number;
  /** What was not as it should be. */
  readonly problems: readonly string[];
}

export interface CheckReport {
  readonly ok: boolean;
  readonly scenarios: readonly CheckedScenario[];
}

/** Runs each scenario on a running demo, one after the other, and reports what came of it. */
export async function checkDemo(demo: RunningDemo, now: () => number): Promise<CheckReport> {
  const scene = { ...buildScene(demo), now };
  const scenarios: CheckedScenario[] = [];
  for (const { name, expected, run } of SCENARIOS) {
    const before = callsSoFar(demo);
    const seen = await run(scene).catch((error: unknown): Seen => ({
      outcome: null,
      checkout: null,
      ms: 0,
      problems: [error instanceof Error ? error.message : 'failed'],
    }));
    const calls = callsSoFar(demo) - before;
    const problems = [...seen.problems, ...differences(seen, calls, expected)];
    const { outcome, checkout, ms } = seen;
    scenarios.push({
      scenario: name,
      ok: problems.length === 0,
      outcome,
      checkout,
      ms,
      koha_calls: calls,
      problems,
    });
  }
  return { ok: scenarios.every(({ ok }) => ok), scenarios };
}

function differences(
  seen: Seen,
  calls: number,
  expected: (typeof SCENARIOS)[number]['expected'],
): readonly string[] {
  const problems: string[] = [];
  if (seen.outcome !== expected.outcome) problems.push(`the outcome should be ${expected.outcome}`);
  if (seen.checkout !== expected.checkout)
    problems.push(`the checkout should be ${expected.checkout ?? 'null'}`);
  if (calls > expected.mostCalls) problems.push(`${expected.mostCalls} calls are enough`);
  return problems;
}

/** Calls that count: a token, a description or a word to the plugin costs the desk nothing. */
function callsSoFar({ kohas }: RunningDemo): number {
  const isCounted = ({ path }: { readonly path: string }) =>
    !/^\/api\/v1\/(?:oauth\/token|contrib\/.*|\.html)?$/.test(path);
  return kohas.reduce((sum, { koha }) => sum + koha.calls().filter(isCounted).length, 0);
}

function buildScene({ file, kohas }: RunningDemo): Omit<Scene, 'now'> {
  const at = (id: string) => {
    const library = file.libraries.find((each) => each.id === id);
    const koha = kohas.find((each) => each.library.id === id)?.koha;
    if (library === undefined || koha === undefined) throw new Error(`the demo has no ${id}`);
    const client = createReceiverClient({
      receiverUrl: file.receiver,
      library: id,
      secret: library.webhook_secret,
    });
    return { library, koha, client };
  };
  return { midland: at('midland'), riverside: at('riverside'), lakeside: at('lakeside') };
}
