import { questionOf } from './consent.js';
import { answeredAs, asksOf } from './decision.js';
import { setText } from './element.js';
import { answerConsent, decideScan, reportCard } from './koha-api.js';
import { remember } from './page.js';
import { nextReportMs, readReport } from './read-answer.js';
import { show } from './show.js';

/** Reports the card, with the item if there is one; the event is known to the page from then on, whoever waits for it. */
async function report(workflow, barcode) {
  const { sending } = workflow;
  const sent = (async () => {
    const answer = await reportCard(workflow.card, barcode, workflow.isCard);
    const meant = readReport(answer.status, answer.body);
    note(workflow, barcode || '', meant);
    return { answer, meant };
  })();
  sending.add(sent);
  return sent.finally(() => sending.delete(sent));
}

/**
 * What a cancel has to know of a report. One whose id was lost is known after all where a later one of the same card and item was
 * coalesced with it.
 */
function note({ events, unanswered, unsure }, barcode, { kind, eventId, isUnsure, isCoalesced }) {
  if (eventId) events.add(eventId);
  if (eventId && kind !== 'accepted') unanswered.add(eventId);
  if (kind === 'accepted') unanswered.delete(eventId);
  if (isUnsure) unsure.add(barcode);
  if (isCoalesced) unsure.delete(barcode);
  remember({ events: [...events], unanswered: [...unanswered], isUnsure: unsure.size > 0 });
}

/**
 * Reports the card until it is taken, for as long as the page is open, or of no use any more; the event's id, or null.
 */
export async function sendCard(workflow, isMine) {
  for (let faults = 0; isMine(); faults += 1) {
    const { answer, meant } = await report(workflow);
    if (!isMine()) return null;
    if (meant.kind === 'accepted') return meant.eventId;
    const isOver = meant.kind === 'stop';
    Object.assign(workflow.view, { fault: meant.fault, isOver });
    show(workflow);
    if (isOver) return null;
    await workflow.pause(nextReportMs(faults, answer.retryAfterS));
  }
  return null;
}

/**
 * Reports the card with the item, once; the event's id, or null. Where nobody answers, it may have been taken all the same. The service checks the item out itself, so that it is checked out
 * once: by the event that names it.
 */
export async function sendItem(workflow, barcode) {
  if (workflow.view.cancel) return null;
  const { meant } = await report(workflow, barcode);
  if (workflow.isGone || workflow.view.cancel) return null;
  workflow.unsent.delete(barcode);
  if (meant.kind === 'accepted') return meant.eventId;
  const mayBeTaken = Boolean(meant.eventId) || meant.isUnsure;
  workflow.unsent.set(barcode, mayBeTaken ? 'unsure' : 'item');
  setText(workflow.panel.itemFault, workflow.t(mayBeTaken ? 'item.unsure' : 'item.unsent'));
  return null;
}

/** Reports what the patron said, once; where it is not taken the question stays. */
export async function sendAnswer(workflow, said) {
  const { panel, view } = workflow;
  const question = questionOf(view);
  if (!question || workflow.isAnswering) return;
  const { event_id: eventId } = view.state;
  workflow.isAnswering = true;
  setText(panel.consentFault, '');
  show(workflow);
  const { status } = await answerConsent(eventId, said, question.text_id);
  workflow.isAnswering = false;
  // The item has an event of its own, which puts the same question: one answer is for all of this page.
  if (status === 204) {
    const others = [...workflow.events].filter((id) => id !== eventId);
    for (const id of others) void answerConsent(id, said, question.text_id);
  }
  if (workflow.isGone) return;
  // 409: the event does not wait any more; its state says how it ended
  if (status === 204 || status === 409) view.answered = eventId;
  else setText(panel.consentFault, workflow.t('consent.unsent'));
  show(workflow);
}

/** Reports what staff have decided, once; where it is not taken the question stays. */
export async function sendDecision(workflow, option) {
  const { panel, view, t } = workflow;
  const asks = asksOf(view);
  if (!asks || workflow.isDeciding) return;
  const { state } = view;
  workflow.isDeciding = true;
  setText(panel.decisionFault, '');
  show(workflow);
  const { status, body } = await decideScan(state.event_id, asks.question, option);
  workflow.isDeciding = false;
  // as with a consent: the item has an event of its own, which asks the same
  if (status === 204) {
    const others = [...workflow.events].filter((id) => id !== state.event_id);
    for (const id of others) void decideScan(id, asks.question, option);
  }
  if (workflow.isGone) return;
  if (status === 204 || status === 409) view.decided = answeredAs(state);
  else setText(panel.decisionFault, t(faultOf(status, body)));
  show(workflow);
}

function faultOf(status, body) {
  const code = (body && body.error_code) || '';
  return status === 403 && ['not_allowed', 'other_branch'].includes(code) ? `asks.${code}` : 'consent.unsent';
}
