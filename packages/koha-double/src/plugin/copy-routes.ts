import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { Double } from '../double.ts';
import { restrictionsOf } from '../patrons/restrictions.ts';
import { isRecord } from '../record.ts';
import type { CopyRow } from './copy-table.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { pluginRoute } from './plugin-route.ts';
import { kinds } from './restriction-routes.ts';

const listCopies = pluginRoute('GET', '/copies', ({ double, query }) => {
  const { after = 0, up_to: upTo = Infinity, limit = 200 } = query;
  const rows = double.db.copies
    .rows()
    .filter(({ patron_id: id }) => id > Number(after) && id <= Number(upTo));
  const page = rows.slice(0, Number(limit));
  return ok({ copies: page.map((row) => ({ ...row, restricted_at: restrictedAt(double, row) })) });
});

/** The home libraries for which the service has restricted a copy. */
function restrictedAt({ db }: Double, { patron_id: id }: CopyRow): string[] {
  const { type, comment } = kinds.home;
  const row = db.patrons.get(id);
  const own = row === undefined ? [] : restrictionsOf(row).filter((each) => each.type === type);
  return own.map((each) => each.comment.slice(comment.length)).toSorted();
}

const keepCopy = pluginRoute('PUT', '/copies/{patron_id}', (call) =>
  isSentAsJson(call) ? keep(call) : notJson(),
);

function keep({ double, path, body }: ApiCall): Answer {
  const { version, home_key: homeKey, fields } = isRecord(body) ? body : {};
  const row = {
    patron_id: Number(path['patron_id']),
    version: Number(version),
    home_key: String(homeKey),
    fields: isRecord(fields) ? fields : {},
  };
  const stored = double.db.copies.keep(row, double.realNowMs());
  if (stored !== null) return ok({ version: stored });
  return problem(409, 'The row was stored by somebody else since', { error_code: 'other_version' });
}

export const copyRoutes: readonly Operation[] = [listCopies, keepCopy];
