import { ok, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { Double } from '../double.ts';
import type { CopyRow } from './copy-table.ts';
import { pluginRoute } from './plugin-route.ts';

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
  const { home_key_type: type, after = 0, limit = 200 } = query;
  const rows = double.db.copies.rows().filter(({ patron_id }) => patron_id > Number(after));
  const page = rows.slice(0, Number(limit));
  const own = page.flatMap((row) => owedBy(double, row, String(type)) ?? []);
  return ok({
    rows: own.filter(({ overdues, amount }) => overdues > 0 || amount > 0),
    read: own.length,
    next: page.length === Number(limit) ? (page.at(-1)?.patron_id ?? null) : null,
  });
}

export const owedRoutes: readonly Operation[] = [pluginRoute('GET', '/owed', answerOwed)];
