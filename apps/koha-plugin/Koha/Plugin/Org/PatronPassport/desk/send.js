import { setText } from './element.js';
import { reportCard } from './koha-api.js';
import { nextReportMs } from './pace.js';
import { readReport } from './read-answer.js';
import { show } from './show.js';

/** Reports the card until it is taken or of no use any more; the event's id, or null. */
export async function sendCard(story, isMine) {
  for (let faults = 0; isMine(); faults += 1) {
    const answer = await reportCard(story.card);
    if (!isMine()) return null;
    const meant = readReport(answer.status, answer.body);
    if (meant.kind === 'accepted') return meant.eventId;
    const againMs = meant.kind === 'again' ? nextReportMs(faults, answer.retryAfterS) : undefined;
    Object.assign(story.view, { fault: meant.fault, isOver: againMs === undefined });
    show(story);
    if (againMs === undefined) return null;
    await story.pause(againMs);
  }
  return null;
}

/**
 * Reports the card with the item, once; the event's id, or null. The service lends the item itself, so that it is lent
 * once: by the event that names it.
 */
export async function sendItem(story, barcode) {
  if (story.isSendingItem) return null;
  const { panel } = story;
  setSending(story, true);
  story.departure.stay();
  setText(panel.itemFault, '');
  const answer = await reportCard(story.card, barcode);
  setSending(story, false);
  if (story.isGone) return null;
  const meant = readReport(answer.status, answer.body);
  if (meant.kind === 'accepted') {
    panel.input.value = '';
    return meant.eventId;
  }
  setText(panel.itemFault, story.t('item.unsent'));
  show(story);
  panel.input.focus();
  panel.input.select();
  return null;
}

function setSending(story, isSending) {
  story.isSendingItem = isSending;
  story.panel.input.disabled = isSending;
  story.panel.lend.disabled = isSending;
}
