import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { jsonBody, withErrors } from '../api/parameters.ts';
import type { JsonSchema } from '../json-schema.ts';
import { isRecord } from '../record.ts';
import { about } from './about.ts';
import { sendEvent } from './send-event.ts';

const anyObject: JsonSchema = { type: 'object', additionalProperties: true };
const tag = 'contrib';
const desk = { circulate: 'circulate_remaining_permissions' };
const service = { borrowers: 'edit_borrowers' };
const eventId = { name: 'event_id', in: 'path', required: true, type: 'string' } as const;

const scanBody: JsonSchema = {
  type: 'object',
  properties: {
    cardnumber: { type: 'string', minLength: 1, maxLength: 32 },
    item_barcode: { type: ['string', 'null'] },
  },
  additionalProperties: false,
  required: ['cardnumber'],
};

const stateBody: JsonSchema = {
  type: 'object',
  properties: { event_id: { type: 'string' }, seq: { type: 'integer' }, state: { type: 'string' } },
  additionalProperties: true,
  required: ['event_id', 'seq', 'state'],
};

const scan: Operation = {
  method: 'POST',
  path: '/contrib/passport/scans',
  plugin: true,
  spec: () => ({
    operationId: 'passportScan',
    summary: 'Sign and send the event of an unknown card',
    tag,
    parameters: [jsonBody(scanBody)],
    responses: withErrors({ '202': anyObject }),
    permissions: desk,
  }),
  handle: async (call): Promise<Answer> => {
    const body = isRecord(call.body) ? call.body : {};
    const item = body['item_barcode'];
    const sent = await sendEvent(call.double, {
      cardnumber: String(body['cardnumber']),
      branch: call.actingLibrary,
      interface: 'staff',
      operator: call.user.patron_id,
      ...(typeof item === 'string' && item !== '' ? { itemBarcode: item } : {}),
    });
    if (sent.kind === 'unreachable' || sent.status !== 202) {
      return problem(503, 'The passport service cannot be reached');
    }
    return { status: 202, body: sent.body };
  },
};

const readScan: Operation = {
  method: 'GET',
  path: '/contrib/passport/scans/{event_id}',
  plugin: true,
  spec: () => ({
    operationId: 'passportScanState',
    summary: 'The state of an event',
    tag,
    parameters: [eventId],
    responses: withErrors({ '200': anyObject }, 404),
    permissions: desk,
  }),
  handle: (call): Answer => {
    const row = call.double.db.outcomes.get(String(call.path['event_id']));
    return row === undefined ? problem(404, 'Scan not found', { error_code: 'not_found' }) : ok(row);
  },
};

const putOutcome: Operation = {
  method: 'PUT',
  path: '/contrib/passport/scans/{event_id}/outcome',
  plugin: true,
  spec: () => ({
    operationId: 'passportOutcome',
    summary: 'Store the state of an event',
    tag,
    parameters: [eventId, jsonBody(stateBody)],
    responses: withErrors({ '204': null }),
    permissions: service,
  }),
  handle: storeOutcome,
};

function storeOutcome(call: ApiCall): Answer {
  const state = isRecord(call.body) ? call.body : {};
  const id = String(call.path['event_id']);
  if (state['event_id'] !== id) return problem(400, 'event_id differs from the path');
  call.double.db.outcomes.put({
    ...state,
    event_id: id,
    seq: Number(state['seq']),
    state: String(state['state']),
  });
  return { status: 204 };
}

const getAbout: Operation = {
  method: 'GET',
  path: '/contrib/passport/about',
  plugin: true,
  spec: () => ({
    operationId: 'passportAbout',
    summary: "Version, clock, attribute types and preferences of this Koha, for the service's doctor",
    tag,
    parameters: [],
    responses: withErrors({ '200': anyObject }),
    permissions: service,
  }),
  handle: (call) => ok(about(call.double)),
};

export const pluginRoutes: readonly Operation[] = [scan, readScan, putOutcome, getAbout];
