import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { filter, withErrors } from '../api/parameters.ts';
import type { Double } from '../double.ts';
import type { CopyRow } from './copy-table.ts';

const mostRows = 200;

/** What a copy owes, in numbers; null where the record is no copy with exactly this home key any more. */
function owedBy({ db, clock }: Double, { patron_id, home_key }: CopyRow, type: string) {
  const row = db.patrons.get(patron_id);
  const keys = row?.attributes.filter((attribute) => attribute.type === type) ?? [];
  if (row === undefined || keys.length !== 1 || keys[0]?.value !== home_key) return null;
  const isOverdue = (due: string): boolean => Date.parse(due) < clock.nowMs();
  return {
    patron_id,
    home_key,
    overdues: db.checkouts.ofPatron(patron_id).filter(({ due_date }) => isOverdue(due_date)).length,
    amount: Math.max(0, Math.round(row.account_balance * 100)),
  };
}

function answerOwed({ double, query }: ApiCall): Answer {
  const { home_key_type: type, after = 0, limit = mostRows } = query;
  const isFitting = Number(after) >= 0 && Number(limit) >= 1 && Number(limit) <= mostRows;
  if (!isFitting || typeof type !== 'string' || type === '') return problem(400, 'The request does not fit');
  const rows = double.db.copies.rows().filter(({ patron_id }) => patron_id > Number(after));
  const page = rows.slice(0, Number(limit));
  const own = page.flatMap((row) => owedBy(double, row, type) ?? []);
  return ok({
    rows: own.filter(({ overdues, amount }) => overdues > 0 || amount > 0),
    read: own.length,
    next: page.length === Number(limit) ? (page.at(-1)?.patron_id ?? null) : null,
  });
}

const list: Operation = {
  method: 'GET',
  path: '/contrib/passport/owed',
  plugin: true,
  spec: () => ({
    parameters: [
      { ...filter('home_key_type'), required: true },
      filter('after', 'integer'),
      filter('limit', 'integer'),
    ],
    responses: withErrors({ '200': { type: 'object', additionalProperties: true } }),
    permissions: { borrowers: 'edit_borrowers' },
  }),
  handle: answerOwed,
};

export const owedRoutes: readonly Operation[] = [list];
