import { fetchState } from './koha-api.js';
import { nextPollMs, readState } from './read-answer.js';
import { isFinal } from './scan-state.js';
import { show } from './show.js';

/** Polls the event's state and shows it, until it is final or polling is of no use. */
export async function follow(workflow, eventId, startedAt, isMine) {
  const { view } = workflow;
  const misses = { lost: 0, faults: 0 };
  while (isMine()) {
    const answer = await fetchState(eventId);
    if (!isMine()) return;
    view.followedMs = Date.now() - startedAt;
    take(view, readState(answer.status, answer.body), misses);
    show(workflow);
    if (view.isOver || (view.state && isFinal(view.state) && !view.fault)) return;
    await workflow.pause(nextPollMs(view.followedMs));
  }
}

/** A single answer that fails says nothing yet, nor do two that know nothing of the event. */
function take(view, meant, misses) {
  misses.lost = meant.kind === 'lost' ? misses.lost + 1 : 0;
  misses.faults = meant.kind === 'again' ? misses.faults + 1 : 0;
  if (meant.kind === 'state') Object.assign(view, { state: meant.state, now: Date.now(), fault: null });
  if (meant.kind === 'again' && misses.faults > 1) view.fault = meant.fault;
  if (meant.kind === 'stop') Object.assign(view, { fault: meant.fault, isOver: true });
  else if (misses.lost > 2) Object.assign(view, { fault: 'lost', isOver: true });
}
