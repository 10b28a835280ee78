import { ok, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { isRecord } from '../record.ts';
import { cancelAtReceiver, isEventId } from './receiver.ts';
import { fault, notTaken } from './scan-answer.ts';
import { cleanedState, stateOf } from './scan-state.ts';

const results: readonly unknown[] = ['NOTHING_WRITTEN', 'CHECKOUT_STOPPED', 'ENDED', 'PENDING'];

/** `POST /scans/{event_id}/cancel`: has the service cancel an event, and hands on what it came to. */
export async function answerCancel(call: ApiCall): Promise<Answer> {
  const { double } = call;
  if (double.settings.webhook === null) return fault('not_configured');
  const answered = await cancelAtReceiver(double, String(call.path['event_id']));
  if (answered === null) return fault('receiver_unreachable');
  const { status, body, retryAfter } = answered;
  if (status === 404) return fault(unknown(body));
  if (status !== 200 && status !== 202) return notTaken({ kind: 'refused', status, retryAfter });
  const { state: said, result } = isRecord(body) ? body : {};
  if (!isRecord(said) || !isEventId(said['event_id']) || !results.includes(result)) {
    return fault('receiver_unreachable');
  }
  const { event_id: eventId } = said;
  const state = stateOf(eventId, said);
  if (state !== null) double.db.outcomes.put(state, double.realNowMs());
  return ok({ event_id: eventId, result, state: cleanedState(said) });
}

/** A service of an earlier version does not say which; one that cannot cancel says it of every event. */
function unknown(body: unknown): 'not_found' | 'not_seen' | 'not_kept' {
  const reason = isRecord(body) ? body['reason'] : null;
  return reason === 'not_seen' || reason === 'not_kept' ? reason : 'not_found';
}
