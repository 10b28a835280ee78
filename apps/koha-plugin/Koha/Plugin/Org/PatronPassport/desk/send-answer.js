import { questionOf } from './consent.js';
import { setText } from './element.js';
import { answerConsent } from './koha-api.js';
import { show } from './show.js';

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
  // 409: the event does not wait any more; its state says what became of it
  if (status === 204 || status === 409) view.answered = eventId;
  else setText(panel.consentFault, workflow.t('consent.unsent'));
  show(workflow);
}
