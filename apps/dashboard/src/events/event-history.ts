import { type Attempt, type AttemptCall, OUTCOME_GROUP, OUTCOMES } from '@passport/contract';
import { type Html, html } from '../shell/html.ts';
import { millisecondsText, timeElement } from '../shell/parts.ts';

export interface EventHistory {
  readonly attempts: readonly Attempt[];
  readonly nowMs: number;
  readonly nameOf: (library: string) => string;
}

const STEPS: Readonly<Record<string, string>> = {
  locate: 'looked the card up',
  copy: 'made or checked the copy',
  checkout: 'checked the item out',
};

/** Each attempt at an event: which libraries were queried, what came back, and how long it took. */
export function eventHistory(history: EventHistory): Html | null {
  const { attempts } = history;
  if (attempts.length === 0) return null;
  return html`<section aria-labelledby="history-title">
    <h2 id="history-title">History</h2>
    <ol class="history">
      ${attempts.toReversed().map((attempt) => entry(attempt, history))}
    </ol>
    <p class="quiet">The newest first. Of many attempts, and of many libraries, a part is kept.</p>
  </section>`;
}

function entry(attempt: Attempt, { nowMs, nameOf }: EventHistory): Html {
  const { at_ms: atMs, ms, calls, others, result } = attempt;
  return html`<li>
    <p>
      ${resultCode(result)}
      <span class="quiet">${timeElement(atMs, nowMs)}, took ${millisecondsText(ms)}</span>
    </p>
    ${
      calls.length === 0
        ? html`<p class="quiet">No library was queried.</p>`
        : html`<ul>
            ${calls.map((call) => callLine(call, nameOf))}
          </ul>`
    }
    ${others === 0 ? null : html`<p class="quiet">And ${others} more.</p>`}
  </li>`;
}

function resultCode(result: string): Html {
  const outcome = OUTCOMES.find((code) => code === result);
  const look = outcome === undefined ? 'waiting' : OUTCOME_GROUP[outcome].replace(' ', '-');
  const text = outcome === undefined ? `tried again: ${result}` : result;
  return html`<span class="code code-${look}">${text}</span>`;
}

function callLine({ library, step, answer, ms }: AttemptCall, nameOf: (library: string) => string): Html {
  const took = ms === null ? 'no answer by the end' : millisecondsText(ms);
  return html`<li>
    <strong>${nameOf(library)}</strong> ${STEPS[step] ?? step}: ${answer}
    <span class="quiet">${took}</span>
  </li>`;
}
