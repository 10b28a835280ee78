import { type Answer, problem } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { jsonBody, withErrors } from '../api/parameters.ts';
import type { JsonSchema } from '../json-schema.ts';
import { isRecord } from '../record.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { answerAtReceiver } from './receiver.ts';
import { fault, notTaken } from './scan-answer.ts';

const consentBody: JsonSchema = {
  type: 'object',
  properties: {
    answer: { type: 'string', enum: ['yes', 'no'] },
    text_id: { type: 'string' },
  },
  additionalProperties: false,
  required: ['answer', 'text_id'],
};

/** What the patron said, from the desk to the service. */
export const consentScan: Operation = {
  method: 'POST',
  path: '/contrib/passport/scans/{event_id}/consent',
  plugin: true,
  spec: () => ({
    parameters: [{ name: 'event_id', in: 'path', required: true, type: 'string' }, jsonBody(consentBody)],
    responses: withErrors({ '204': null }, 404, 409, 415, 422, 502),
    permissions: { circulate: 'circulate_remaining_permissions' },
  }),
  handle: (call) => (isSentAsJson(call) ? passAnswerOn(call) : notJson()),
};

/** A pattern of the plugin's own description. */
const TEXT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

async function passAnswerOn(call: ApiCall): Promise<Answer> {
  const { double, body, user } = call;
  if (double.settings.webhook === null) return fault('not_configured');
  const said = isRecord(body) ? body : {};
  if (!TEXT_ID.test(String(said['text_id']))) {
    return problem(400, 'String does not match.', { path: '/body/text_id' });
  }
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
