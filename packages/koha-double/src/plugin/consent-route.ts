import { type Answer, problem } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { isRecord } from '../record.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { pluginRoute } from './plugin-route.ts';
import { answerAtReceiver } from './receiver.ts';
import { fault, notTaken } from './scan-answer.ts';

/** What the patron said, from the desk to the service. */
export const consentScan = pluginRoute('POST', '/scans/{event_id}/consent', (call) =>
  isSentAsJson(call) ? passAnswerOn(call) : notJson(),
);

async function passAnswerOn(call: ApiCall): Promise<Answer> {
  const { double, body, user } = call;
  if (double.settings.webhook === null) return fault('not_configured');
  const said = isRecord(body) ? body : {};
  const answered = await answerAtReceiver(double, String(call.path['event_id']), {
    ...said,
    operator: user.patron_id,
  });
  if (answered === null) return fault('receiver_unreachable');
  const { status, retryAfter } = answered;
  if (status === 404) return problem(404, 'Nothing is known of this scan', { error_code: 'not_found' });
  if (status === 409) return fault('no_question');
  return status === 200 ? { status: 204 } : notTaken({ kind: 'refused', status, retryAfter });
}
