import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { filter, jsonBody, withErrors } from '../api/parameters.ts';
import type { JsonSchema } from '../json-schema.ts';
import { isRecord } from '../record.ts';
import { about } from './about.ts';
import { answerCancel } from './cancel-answer.ts';
import { copyRoutes } from './copy-routes.ts';
import { consentScan } from './consent-route.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { deletionRoutes } from './deletion-routes.ts';
import { owedRoutes } from './owed-routes.ts';
import { restrictionRoutes } from './restriction-routes.ts';
import { readDeskScript } from './desk-script.ts';
import { answerScan } from './scan-answer.ts';
import { cleanedState, stateOf, states } from './scan-state.ts';
import { queryReceiver } from './receiver.ts';
import { isServiceUser, servedTo } from './served-to.ts';
import { checkBody, checkSettings } from './settings-check.ts';

const anyObject: JsonSchema = { type: 'object', additionalProperties: true };
const desk = { circulate: 'circulate_remaining_permissions' };
const service = { borrowers: 'edit_borrowers' };
const eventId = { name: 'event_id', in: 'path', required: true, type: 'string' } as const;

const scanBody: JsonSchema = {
  type: 'object',
  properties: {
    cardnumber: { type: 'string', minLength: 1, maxLength: 64 },
    item_barcode: { type: ['string', 'null'], maxLength: 128 },
  },
  additionalProperties: false,
  required: ['cardnumber'],
};

const stateBody: JsonSchema = {
  type: 'object',
  properties: {
    event_id: { type: 'string' },
    seq: { type: 'integer' },
    state: { type: 'string', enum: states },
  },
  additionalProperties: true,
  required: ['event_id', 'seq', 'state'],
};

const scan: Operation = {
  method: 'POST',
  path: '/contrib/passport/scans',
  plugin: true,
  spec: () => ({
    parameters: [jsonBody(scanBody)],
    responses: withErrors({ '202': anyObject }, 415, 422, 502),
    permissions: desk,
  }),
  handle: (call) => (isSentAsJson(call) ? answerScan(call) : notJson()),
};

const readScan: Operation = {
  method: 'GET',
  path: '/contrib/passport/scans/{event_id}',
  plugin: true,
  spec: () => ({
    parameters: [eventId],
    responses: withErrors({ '200': anyObject }, 404),
    permissions: desk,
  }),
  handle: answerState,
};

/** The receiver is queried only when the service, which reports every change, should have done so by now. */
async function answerState(call: ApiCall): Promise<Answer> {
  const { double } = call;
  const { outcomes } = double.db;
  const id = String(call.path['event_id']);
  if (outcomes.mayQuery(id, double.realNowMs())) {
    const current = stateOf(id, await queryReceiver(double, id));
    if (current !== null) outcomes.putCurrent(current, double.realNowMs());
  }
  const row = outcomes.get(id);
  if (row !== undefined) return ok(cleanedState(row));
  if (outcomes.isNoted(id)) return ok(cleanedState({ event_id: id, seq: 0, state: 'queued' }));
  return problem(404, 'Nothing is known of this scan', { error_code: 'not_found' });
}

const cancelScan: Operation = {
  method: 'POST',
  path: '/contrib/passport/scans/{event_id}/cancel',
  plugin: true,
  spec: () => ({
    parameters: [eventId, jsonBody({ type: 'object', properties: {}, additionalProperties: false })],
    responses: withErrors({ '200': anyObject }, 404, 415, 422, 502),
    permissions: desk,
  }),
  handle: (call) => (isSentAsJson(call) ? answerCancel(call) : notJson()),
};

const putOutcome: Operation = {
  method: 'PUT',
  path: '/contrib/passport/scans/{event_id}/outcome',
  plugin: true,
  spec: () => ({
    parameters: [eventId, jsonBody(stateBody)],
    responses: withErrors({ '204': null }, 415),
    permissions: service,
  }),
  handle: (call) => {
    if (!isSentAsJson(call)) return notJson();
    const state = stateOf(String(call.path['event_id']), call.body);
    if (state === null) {
      return problem(400, 'The state is of another event', { error_code: 'other_event' });
    }
    call.double.db.outcomes.put(state, call.double.realNowMs());
    return { status: 204 };
  },
};

const getAbout: Operation = {
  method: 'GET',
  path: '/contrib/passport/about',
  plugin: true,
  spec: () => ({
    parameters: [],
    responses: withErrors({ '200': anyObject }),
    permissions: service,
  }),
  handle: (call) => ok(about(call.double)),
};

const postCheck: Operation = {
  method: 'POST',
  path: '/contrib/passport/check',
  plugin: true,
  spec: () => ({
    parameters: [jsonBody(checkBody)],
    responses: withErrors({ '200': anyObject }, 415),
    permissions: service,
  }),
  handle: async (call) => {
    if (!isSentAsJson(call)) return notJson();
    const { nonce } = isRecord(call.body) ? call.body : {};
    const servesYou = isServiceUser(call)
      ? 'yes'
      : call.double.settings.plugin_service_user === null
        ? 'nobody'
        : 'no';
    return ok({ ...(await checkSettings(call.double, String(nonce))), serves_you: servesYou });
  },
};

const deskScript: Operation = {
  method: 'GET',
  path: '/contrib/passport/desk.js',
  plugin: true,
  spec: () => ({
    parameters: [filter('v')],
    responses: withErrors({ '200': null }),
    permissions: desk,
  }),
  handle: (call) => {
    const text = readDeskScript(call.double);
    if (text === null) return problem(500, 'Something went wrong', { error_code: 'internal_server_error' });
    return { status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' }, text };
  },
};

export const pluginRoutes: readonly Operation[] = [
  scan,
  readScan,
  cancelScan,
  consentScan,
  deskScript,
  ...[getAbout, postCheck].map(servedTo('key')),
  ...[putOutcome, ...copyRoutes, ...deletionRoutes, ...owedRoutes, ...restrictionRoutes].map(
    servedTo('service'),
  ),
];
