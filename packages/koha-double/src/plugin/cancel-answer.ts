import { ok, problem, type Answer } from '../answer.ts';
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
  if (status === 404) return problem(404, 'Nothing is known of this scan', { error_code: 'not_found' });
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
