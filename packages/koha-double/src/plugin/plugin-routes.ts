import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { isRecord } from '../record.ts';
import { about } from './about.ts';
import { answerCancel } from './cancel-answer.ts';
import { copyRoutes } from './copy-routes.ts';
import { consentScan } from './consent-route.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { deletionRoutes } from './deletion-routes.ts';
import { owedRoutes } from './owed-routes.ts';
import { pluginRoute } from './plugin-route.ts';
import { restrictionRoutes } from './restriction-routes.ts';
import { readDeskScript } from './desk-script.ts';
import { answerScan } from './scan-answer.ts';
import { cleanedState, stateOf } from './scan-state.ts';
import { queryReceiver } from './receiver.ts';
import { isServiceUser, servedTo } from './served-to.ts';
import { checkSettings } from './settings-check.ts';

const addScan = pluginRoute('POST', '/scans', (call) => (isSentAsJson(call) ? answerScan(call) : notJson()));
const getScan = pluginRoute('GET', '/scans/{event_id}', answerState);

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

const cancelScan = pluginRoute('POST', '/scans/{event_id}/cancel', (call) =>
  isSentAsJson(call) ? answerCancel(call) : notJson(),
);

const putOutcome = pluginRoute('PUT', '/scans/{event_id}/outcome', (call) => {
  if (!isSentAsJson(call)) return notJson();
  const state = stateOf(String(call.path['event_id']), call.body);
  if (state === null) {
    return problem(400, 'The state is of another event', { error_code: 'other_event' });
  }
  call.double.db.outcomes.put(state, call.double.realNowMs());
  return { status: 204 };
});

const getAbout = pluginRoute('GET', '/about', (call) => ok(about(call.double)));

const postCheck = pluginRoute('POST', '/check', async (call) => {
  if (!isSentAsJson(call)) return notJson();
  const { nonce } = isRecord(call.body) ? call.body : {};
  const servesYou = isServiceUser(call)
    ? 'yes'
    : call.double.settings.plugin_service_user === null
      ? 'nobody'
      : 'no';
  return ok({ ...(await checkSettings(call.double, String(nonce))), serves_you: servesYou });
});

const getDeskScript = pluginRoute('GET', '/desk.js', (call) => {
  const text = readDeskScript(call.double);
  if (text === null) return problem(500, 'Something went wrong', { error_code: 'internal_server_error' });
  return { status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' }, text };
});

export const pluginRoutes: readonly Operation[] = [
  addScan,
  getScan,
  cancelScan,
  consentScan,
  getDeskScript,
  ...[getAbout, postCheck].map(servedTo('key')),
  ...[putOutcome, ...copyRoutes, ...deletionRoutes, ...owedRoutes, ...restrictionRoutes].map(
    servedTo('service'),
  ),
];
