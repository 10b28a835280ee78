import { follow } from './follow.js';
import { cancelEvent } from './koha-api.js';
import { remember } from './page.js';
import { nextCancelMs, readCancel } from './read-answer.js';
import { cancelEnd, isFinal, worseEnd } from './scan-state.js';
import { show } from './show.js';

/**
 * Cancels every event that this page has reported, those included that are still being sent, and says what it came to. `isMine`
 * belongs to the run of the cancel, which has ended all others.
 */
export async function cancelEvents(workflow, isMine) {
  const { sending, events, unsure, view } = workflow;
  workflow.departure.stay();
  say(workflow, 'pending');
  while (sending.size > 0) await Promise.allSettled(sending);
  const answers = await Promise.all([...events].map((eventId) => sendCancel(workflow, eventId)));
  // what was accepted under an id that was lost goes on
  let end = unsure.size > 0 ? 'failed' : 'nothing';
  for (const answer of answers) end = worseEnd(end, await settle(workflow, answer, isMine));
  if (!isMine()) return;
  if (end !== 'failed') remember({ isCancelled: true });
  Object.assign(view, { fault: null, isOver: false });
  say(workflow, end);
}

/** Sends a cancel until it is taken or of no use any more; it goes on where the panel was closed meanwhile. */
async function sendCancel(workflow, eventId) {
  for (let faults = 0; ; faults += 1) {
    const answer = await cancelEvent(eventId);
    const meant = readCancel(answer.status, answer.body);
    const againMs = meant.kind === 'again' ? nextCancelMs(faults, answer.retryAfterS) : undefined;
    if (againMs === undefined) return { ...meant, eventId };
    await workflow.pause(againMs);
  }
}

/** What one event came to: what was answered, or what its state says in the end. */
async function settle(workflow, { kind, eventId, result, state }, isMine) {
  const { view, unanswered } = workflow;
  // an event that was accepted has come, whatever the service says of it now
  if (kind === 'unseen') return unanswered.has(eventId) ? 'nothing' : 'failed';
  if (kind === 'forgotten') return 'forgotten';
  if (result === 'NOTHING_WRITTEN') return 'nothing';
  if (kind !== 'cancelled' || !isMine()) return 'failed';
  Object.assign(view, { state, fault: null, isOver: false });
  if (!isFinal(state)) {
    if (result === 'CHECKOUT_STOPPED') say(workflow, 'stopped');
    await follow(workflow, state.event_id, Date.now(), isMine);
  }
  return isFinal(view.state) ? cancelEnd(view.state) : 'failed';
}

function say(workflow, end) {
  workflow.view.cancel = end;
  if (!workflow.isGone) show(workflow);
}
