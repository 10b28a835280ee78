import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { restrictionsOf, type RestrictionRow } from '../patrons/restrictions.ts';
import { isRecord } from '../record.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { pluginRoute } from './plugin-route.ts';

/** The kinds of restrictions: `home` on copies, `owed` on home records. */
export const kinds = {
  home: { type: 'PASSPORT_HOME', comment: 'Patron Passport: restricted at ' },
  owed: { type: 'PASSPORT_OWED', comment: 'Patron Passport: debts at ' },
} as const;

const ONE = '/restrictions/{kind}/{library}/{patron_id}';

const kindOf = ({ path: { kind: name } }: ApiCall) => (name === 'home' ? kinds.home : kinds.owed);

const list = pluginRoute('GET', '/restrictions/{kind}', (call) => {
  const { after = 0, limit = 200 } = call.query;
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
});

/** Finds the patron, and changes nothing of one whom Koha has anonymised. */
function withPatron(call: ApiCall, work: (row: PatronRow, comment: string) => Answer): Answer {
  const row = call.double.db.patrons.get(Number(call.path['patron_id']));
  if (row === undefined) return problem(404, 'There is no such patron', { error_code: 'not_found' });
  if (row.columns['anonymized'] === true) {
    return problem(409, 'The patron is anonymised', { error_code: 'anonymized' });
  }
  return work(row, `${kindOf(call).comment}${String(call.path['library'])}`);
}

/** Stores these as all the plugin's restrictions of the patron. */
function putRestrictions({ db }: Double, row: PatronRow, restrictions: readonly RestrictionRow[]): void {
  db.patrons.put({ ...row, hidden: { ...row.hidden, restrictions } });
}

function set(call: ApiCall): Answer {
  const until = isRecord(call.body) ? call.body['until'] : undefined;
  const expiration = typeof until === 'string' ? until : null;
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

const setOne = pluginRoute('PUT', ONE, (call) => (isSentAsJson(call) ? set(call) : notJson()));

const liftOne = pluginRoute('DELETE', ONE, (call) =>
  withPatron(call, (row, comment) => {
    const { type } = kindOf(call);
    const left = restrictionsOf(row).filter((each) => each.type !== type || each.comment !== comment);
    putRestrictions(call.double, row, left);
    return { status: 204 };
  }),
);

export const restrictionRoutes: readonly Operation[] = [list, setOne, liftOne];
