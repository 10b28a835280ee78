import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation, Parameter } from '../api/operation.ts';
import { filter, jsonBody, pathId, withErrors } from '../api/parameters.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { restrictionsOf, type RestrictionRow } from '../patrons/restrictions.ts';
import { isRecord } from '../record.ts';
import { isSentAsJson, notJson } from './json-only.ts';

const service = { borrowers: 'edit_borrowers' };
const mostRows = 200;
/** The kinds of restrictions: `home` on copies, `owed` on home records. */
export const kinds = {
  home: { type: 'PASSPORT_HOME', comment: 'Patron Passport: restricted at ' },
  owed: { type: 'PASSPORT_OWED', comment: 'Patron Passport: debts at ' },
} as const;

const kind: Parameter = {
  name: 'kind',
  in: 'path',
  required: true,
  type: 'string',
  enum: Object.keys(kinds),
};
const library: Parameter = { name: 'library', in: 'path', required: true, type: 'string' };
const path = '/contrib/passport/restrictions/{kind}';
const onePath = `${path}/{library}/{patron_id}` as const;

const body = jsonBody({
  type: 'object',
  properties: { until: { type: ['string', 'null'] } },
  additionalProperties: false,
  required: ['until'],
});

const kindOf = ({ path: { kind: name } }: ApiCall) => (name === 'home' ? kinds.home : kinds.owed);

const list: Operation = {
  method: 'GET',
  path,
  plugin: true,
  spec: () => ({
    parameters: [kind, filter('after', 'integer'), filter('limit', 'integer')],
    responses: withErrors({ '200': { type: 'object', additionalProperties: true } }),
    permissions: service,
  }),
  handle: (call) => {
    const { after = 0, limit = mostRows } = call.query;
    const isFitting = Number(after) >= 0 && Number(limit) >= 1 && Number(limit) <= mostRows;
    if (!isFitting) return problem(400, 'The request does not fit');
    const { type, comment } = kindOf(call);
    const rows = [...call.double.db.patrons.rows()]
      .flatMap((row) => restrictionsOf(row).map((each) => ({ ...each, patron_id: row.patron_id })))
      .filter((each) => each.type === type && each.id > Number(after))
      .toSorted((a, b) => a.id - b.id)
      .map((each) => ({
        id: each.id,
        patron_id: each.patron_id,
        library: each.comment.slice(comment.length),
      }));
    return ok({ restrictions: rows.slice(0, Number(limit)) });
  },
};

/** Finds the patron, and changes nothing of one whom Koha has anonymised. */
function withPatron(call: ApiCall, work: (row: PatronRow, comment: string) => Answer): Answer {
  const id = String(call.path['library']);
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$/.test(id)) {
    return problem(400, 'String does not match the pattern');
  }
  const row = call.double.db.patrons.get(Number(call.path['patron_id']));
  if (row === undefined) return problem(404, 'There is no such patron', { error_code: 'not_found' });
  if (row.columns['anonymized'] === true) {
    return problem(409, 'The patron is anonymised', { error_code: 'anonymized' });
  }
  return work(row, `${kindOf(call).comment}${id}`);
}

/** Stores these as all the plugin's restrictions of the patron. */
function putRestrictions({ db }: Double, row: PatronRow, restrictions: readonly RestrictionRow[]): void {
  db.patrons.put({ ...row, hidden: { ...row.hidden, restrictions } });
}

function set(call: ApiCall): Answer {
  const until = isRecord(call.body) ? call.body['until'] : undefined;
  const expiration = typeof until === 'string' ? until : null;
  const isDate = expiration !== null && /^\d{4}-\d\d-\d\d$/.test(expiration);
  if (until !== null && !isDate) return problem(400, 'Does not match date');
  const { double } = call;
  return withPatron(call, (row, comment) => {
    const { type } = kindOf(call);
    const before = restrictionsOf(row);
    const own = before.find((each) => each.type === type && each.comment === comment);
    const id = own?.id ?? double.db.patrons.takeRestrictionId();
    putRestrictions(double, row, [
      ...before.filter((each) => each !== own),
      { id, type, comment, expiration },
    ]);
    return { status: 204 };
  });
}

const setOne: Operation = {
  method: 'PUT',
  path: onePath,
  plugin: true,
  spec: () => ({
    parameters: [kind, library, pathId('patron_id'), body],
    responses: withErrors({ '204': null }, 404, 409, 415),
    permissions: service,
  }),
  handle: (call) => (isSentAsJson(call) ? set(call) : notJson()),
};

const liftOne: Operation = {
  method: 'DELETE',
  path: onePath,
  plugin: true,
  spec: () => ({
    parameters: [kind, library, pathId('patron_id')],
    responses: withErrors({ '204': null }, 404, 409),
    permissions: service,
  }),
  handle: (call) =>
    withPatron(call, (row, comment) => {
      const { type } = kindOf(call);
      const left = restrictionsOf(row).filter((each) => each.type !== type || each.comment !== comment);
      putRestrictions(call.double, row, left);
      return { status: 204 };
    }),
};

export const restrictionRoutes: readonly Operation[] = [list, setOne, liftOne];
