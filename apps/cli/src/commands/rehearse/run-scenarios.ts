import type { AnsweredIn } from './compare-answers.ts';
import type { ScenarioResult } from './result.ts';
import type { Scenario } from './scenarios/index.ts';
import type { SeenAnswer } from './site.ts';
import type { Stage } from './stage.ts';
import { describeFailure, NotTried } from './trial.ts';

/** Before the first scenario: what they share is made. */
const SET_UP = 'set_up';

/** What all scenarios came to, and what the Kohas answered in each. */
interface Ran {
  readonly results: readonly ScenarioResult[];
  readonly answered: readonly AnsweredIn[];
}

/**
 * Runs scenarios one after the other, each whatever became of the others, until the person interrupts. A failure is one of its
 * differences; bugs throw.
 */
export async function runScenarios(
  scenarios: readonly Scenario[],
  stage: Stage,
  {
    answers,
    items,
    signal,
  }: { readonly answers: SeenAnswer[]; readonly items: number; readonly signal: AbortSignal },
): Promise<Ran> {
  const answered: AnsweredIn[] = [];
  const attempt = async (scenario: Scenario): Promise<ScenarioResult> => {
    answers.length = 0;
    stage.differences.length = 0;
    stage.remarks.length = 0;
    stage.times.length = 0;
    let why: string | null = null;
    try {
      await scenario.run(stage);
    } catch (error) {
      const text = describeFailure(error);
      if (error instanceof NotTried) why = error.message;
      else if (text === null) throw error;
      else stage.differ(text);
    }
    const { id, says } = scenario;
    if (why === null) answered.push({ scenario: id, answers: [...answers] });
    const differences = [...stage.differences];
    const result = differences.length > 0 ? 'differs' : why === null ? 'held' : 'not_tried';
    return { id, says, result, differences, remarks: [...stage.remarks], why, scanMs: [...stage.times] };
  };
  const makeItems: Scenario = {
    id: SET_UP,
    says: 'a circulation rule applies to copies; a book and its items are made',
    async run() {
      await stage.ensureRule();
      await stage.makeProps(items);
    },
  };
  const results: ScenarioResult[] = [await attempt(makeItems)];
  for (const scenario of scenarios) {
    if (signal.aborted) {
      const { id, says } = scenario;
      const why = 'the rehearsal was interrupted';
      results.push({ id, says, result: 'not_tried', differences: [], remarks: [], why, scanMs: [] });
    } else results.push(await attempt(scenario));
  }
  return { results, answered };
}
