import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { Double } from '../double.ts';
import { type PatronRow, restrictedUntil } from '../patrons/patron-row.ts';
import { restrictionsOf } from '../patrons/restrictions.ts';
import { isRecord } from '../record.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { pluginRoute } from './plugin-route.ts';
import { kinds } from './restriction-routes.ts';

/** Of these the double stores only how many a patron has, in a hidden column of that name. */
const COUNTED = ['recalls', 'bookings', 'article_requests', 'ill_requests', 'lists'] as const;

/** What keeps a patron. The double stores a balance only. */
function blocksOf({ db, settings }: Double, row: PatronRow): string[] {
  const isGuarantor = [...db.patrons.rows()].some((other) => other.hidden['guarantor_id'] === row.patron_id);
  const hasHold = [...db.items.rows()].some(({ hidden }) => {
    const { hold } = hidden;
    return isRecord(hold) && hold['patron_id'] === row.patron_id;
  });
  const keeps: readonly (readonly [string, boolean])[] = [
    ['checkouts', db.checkouts.countOfPatron(row.patron_id) > 0],
    ['debt', row.account_balance > 0],
    ['credit', row.account_balance < 0],
    ['guarantees', isGuarantor],
    ['holds', hasHold],
    ...COUNTED.map((name) => [name, Number(row.hidden[name] ?? 0) > 0] as const),
    ['restriction', restrictedUntil(withoutHomes(row)) !== null],
    ['protected', row.columns.protected],
    ['staff', row.permissions.size > 0],
    ['anonymous_patron', settings.preferences.AnonymousPatron === String(row.patron_id)],
  ];
  return keeps.filter(([, isSo]) => isSo).map(([name]) => name);
}

/** A restriction that stands for one at home keeps nobody. */
const withoutHomes = (row: PatronRow): PatronRow => {
  const restrictions = restrictionsOf(row).filter(({ type }) => type !== kinds.home.type);
  return { ...row, hidden: { ...row.hidden, restrictions } };
};

/** The latest of what Koha knows, and whether it would know of a later use. Hidden column `last_returned`: of an old checkout. */
function useOf({ settings }: Double, { columns, hidden }: PatronRow) {
  const dates = [columns['last_seen'], columns['date_enrolled'], hidden['last_returned']];
  const days = dates.filter((date) => typeof date === 'string').map((date) => date.slice(0, 10));
  const isTracked = settings.preferences.TrackLastPatronActivityTriggers !== '';
  return {
    last_used: days.toSorted().at(-1) ?? null,
    knows_use: (isTracked && typeof columns['last_seen'] === 'string') || columns['privacy'] === 0,
  };
}

const list = pluginRoute('GET', '/deletions', ({ double, query }) => {
  const patrons = String(query['patron_ids'])
    .split(',')
    .flatMap((id) => {
      const row = double.db.patrons.get(Number(id));
      if (row === undefined) return [];
      return [{ patron_id: row.patron_id, blocks: blocksOf(double, row), ...useOf(double, row) }];
    });
  return ok({ patrons });
});

const add = pluginRoute('POST', '/deletions', (call) => (isSentAsJson(call) ? remove(call) : notJson()));

function remove({ double, body }: ApiCall): Answer {
  const { patron_id: id, home_key: key, home_key_type: type } = isRecord(body) ? body : {};
  const row = double.db.patrons.get(Number(id));
  if (row === undefined) return problem(404, 'There is no such patron', { error_code: 'not_found' });
  const keys = row.attributes.filter((attribute) => attribute.type === type);
  const remembered = double.db.copies.rows().find(({ patron_id }) => patron_id === row.patron_id);
  if (keys.length !== 1 || keys[0]?.value !== key || remembered?.home_key !== key) {
    return problem(409, 'The patron is not a copy with this home key that the service made', {
      error_code: 'not_this_copy',
    });
  }
  const blocks = blocksOf(double, row);
  if (blocks.length > 0) {
    return problem(409, 'Something keeps this patron', { error_code: 'blocked', blocks });
  }
  double.db.patrons.delete(row.patron_id);
  return { status: 204 };
}

export const deletionRoutes: readonly Operation[] = [list, add];
