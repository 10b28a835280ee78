import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import type { Double } from '../double.ts';
import {
  restrictedUntil,
  restrictionsOf,
  type PatronRow,
  type RestrictionRow,
} from '../patrons/patron-table.ts';
import { canSee } from '../patrons/read-patron.ts';
import { isRecord } from '../record.ts';
import { pluginRoute } from './plugin-route.ts';
import type { CopyRow, StandingRow } from './plugin-tables.ts';

const noPatron = problem(404, 'There is no such patron', { error_code: 'not_found' });

/** The kinds of restrictions: `home` and `standing` on copies, `owed` on home records. */
const kinds = {
  home: { type: 'PASSPORT_HOME', comment: 'Patron Passport: restricted at ' },
  standing: { type: 'PASSPORT_STANDING', comment: 'Patron Passport: not in good standing at ' },
  owed: { type: 'PASSPORT_OWED', comment: 'Patron Passport: debts at ' },
} as const;

/** A page of rows by a number that grows. */
function pageOf<Row>(
  { query: { after = 0, up_to: upTo = Infinity, limit = 200 } }: ApiCall,
  rows: readonly Row[],
  numberOf: (row: Row) => number,
): readonly Row[] {
  const isWanted = (row: Row): boolean => numberOf(row) > Number(after) && numberOf(row) <= Number(upTo);
  return rows
    .filter(isWanted)
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .slice(0, Number(limit));
}

const listCopies = pluginRoute('service', 'GET', '/copies', (call) => {
  const page = pageOf(call, call.double.db.copies.rows(), ({ patron_id }) => patron_id);
  return ok({
    copies: page.map((row) => ({
      ...row,
      restricted_at: restrictedAt('home', call.double, row),
      standing_at: restrictedAt('standing', call.double, row),
    })),
  });
});

/** The library that the comment of a restriction names, before the codes of its reasons and what home has noted; null where somebody has edited it. */
function libraryIn(text: string, { comment }: (typeof kinds)[keyof typeof kinds]): string | null {
  if (!text.startsWith(comment)) return null;
  return (
    /^([\w-]+)(?: \([A-Z_]+(?:, [A-Z_]+)*\))?(?: "[^"]+")?$/.exec(text.slice(comment.length))?.[1] ?? null
  );
}

/** The home libraries for which the service has restricted a copy, in the order in which it has. */
function restrictedAt(kind: keyof typeof kinds, { db }: Double, { patron_id: id }: CopyRow): string[] {
  const row = db.patrons.get(id);
  const own = row === undefined ? [] : restrictionsOf(row).filter(({ type }) => type === kinds[kind].type);
  return own.toSorted((a, b) => a.id - b.id).flatMap(({ comment }) => libraryIn(comment, kinds[kind]) ?? []);
}

const keepCopy = pluginRoute('service', 'PUT', '/copies/{patron_id}', ({ double, path, body }) => {
  const { version, home_key: homeKey, fields, standing, made } = isRecord(body) ? body : {};
  const row = {
    ...(standing === undefined ? {} : { standing: standing as StandingRow | null }),
    patron_id: Number(path['patron_id']),
    version: Number(version),
    home_key: String(homeKey),
    fields: isRecord(fields) ? fields : {},
  };
  const stored = double.db.copies.keep(row, double.realNowMs());
  if (stored !== null && made !== undefined) double.db.copies.tell(row.patron_id, made);
  if (stored !== null) return ok({ version: stored });
  return problem(409, 'The row was stored by somebody else since', { error_code: 'other_version' });
});

const noteChecked = pluginRoute('service', 'PUT', '/copies', ({ double, body }) => {
  const { checked } = isRecord(body) ? body : {};
  double.db.copies.noteChecked(Array.isArray(checked) ? checked.map(Number) : [], double.realNowMs());
  return { status: 204 };
});

/** What the desk is shown of a copy; null of anybody else, and of a copy that has lost its home key. */
export function standingOf({ db, realNowMs }: Double, patronId: number) {
  const homeKey = db.copies.rows().find(({ patron_id }) => patron_id === patronId)?.home_key;
  const hasKey = db.patrons.get(patronId)?.attributes.some(({ value }) => value === homeKey) === true;
  return hasKey ? db.copies.standingOf(patronId, realNowMs()) : null;
}

const getStanding = pluginRoute('desk', 'GET', '/copies/{patron_id}/standing', ({ double, path, user }) => {
  const id = Number(path['patron_id']);
  const row = double.db.patrons.get(id);
  const standing = row !== undefined && canSee(double, user, row) ? standingOf(double, id) : null;
  if (standing !== null) return ok(standing);
  const error = 'Nothing is known of the standing of this patron';
  return problem(404, error, { error_code: 'no_standing' });
});

const kindOf = ({ path }: ApiCall) => kinds[path['kind'] as keyof typeof kinds];

const listRestrictions = pluginRoute('service', 'GET', '/restrictions/{kind}', (call) => {
  const kind = kindOf(call);
  const rows = [...call.double.db.patrons.rows()].flatMap((row) =>
    restrictionsOf(row)
      .filter(({ type }) => type === kind.type)
      .map(({ id, comment }) => ({ id, patron_id: row.patron_id, library: libraryIn(comment, kind) })),
  );
  return ok({ restrictions: pageOf(call, rows, ({ id }) => id) });
});

/** Changes the plugin's restrictions of a patron, and nothing of one whom Koha has anonymised. */
function changeRestrictions(
  call: ApiCall,
  change: (others: readonly RestrictionRow[], own: RestrictionRow | undefined) => readonly RestrictionRow[],
): Answer {
  const { patrons } = call.double.db;
  const row = patrons.get(Number(call.path['patron_id']));
  if (row === undefined) return noPatron;
  if (row.columns['anonymized'] === true) {
    return problem(409, 'The patron is anonymised', { error_code: 'anonymized' });
  }
  const before = restrictionsOf(row);
  const kind = kindOf(call);
  const isOwn = ({ type, comment }: RestrictionRow): boolean =>
    type === kind.type && libraryIn(comment, kind) === call.path['library'];
  const own = before.find(isOwn);
  const others = before.filter((each) => each !== own);
  patrons.put({ ...row, hidden: { ...row.hidden, restrictions: change(others, own) } });
  return { status: 204 };
}

function restrictionOf(
  call: ApiCall,
  { codes, comment: noted }: Readonly<Record<string, unknown>>,
): Pick<RestrictionRow, 'type' | 'comment'> {
  const { type, comment } = kindOf(call);
  const inBrackets = Array.isArray(codes) && codes.length > 0 ? ` (${codes.join(', ')})` : '';
  const quoted = typeof noted === 'string' ? ` "${noted}"` : '';
  return { type, comment: `${comment}${String(call.path['library'])}${inBrackets}${quoted}` };
}

const ONE = '/restrictions/{kind}/{library}/{patron_id}';

const setRestriction = pluginRoute('service', 'PUT', ONE, (call) => {
  const body = isRecord(call.body) ? call.body : {};
  if (body['comment'] !== undefined && call.path['kind'] !== 'home') {
    const error = 'Only a restriction for the home library has a comment';
    return problem(400, error, { error_code: 'no_comment' });
  }
  const { until } = body;
  const expiration = typeof until === 'string' ? until : null;
  return changeRestrictions(call, (others, own) => {
    const id = own?.id ?? call.double.db.patrons.takeRestrictionId();
    return [...others, { id, ...restrictionOf(call, body), expiration }];
  });
});

const liftRestriction = pluginRoute('service', 'DELETE', ONE, (call) =>
  changeRestrictions(call, (others) => others),
);

/** Longer comments are cut, and more restrictions left out. */
const LONGEST_COMMENT = 200;
const MOST_OF_PATRON = 100;

/** Restrictions that are in force; what the plugin wrote into a comment is answered nobody. One of staff is the hidden column `debarred` alone. */
const listPatronRestrictions = pluginRoute('service', 'GET', '/patrons/{patron_id}/restrictions', (call) => {
  const { patrons } = call.double.db;
  const row = patrons.get(Number(call.path['patron_id']));
  const today = call.double.clock.today();
  const own = new Set<string>(Object.values(kinds).map(({ type }) => type));
  const isShown = row !== undefined && canSee(call.double, call.user, row);
  const inForce = (isShown ? restrictionsOf(row) : [])
    .filter(({ expiration }) => expiration === null || expiration > today)
    .toSorted((a, b) => a.id - b.id)
    .slice(0, MOST_OF_PATRON);
  return ok({
    restrictions: inForce.map(({ type, expiration: until, comment }) => ({
      type,
      until,
      ...(call.query['comments'] === true && !own.has(type) && comment !== ''
        ? { comment: comment.slice(0, LONGEST_COMMENT) }
        : {}),
    })),
  });
});

/** Of these the double stores only how many a patron has, in a hidden column of that name. */
const COUNTED = ['recalls', 'bookings', 'article_requests', 'ill_requests', 'lists'] as const;

/** What keeps a patron. The double stores a balance only. A restriction that stands for what home says keeps nobody. */
function blocksOf({ db, settings }: Double, row: PatronRow): string[] {
  const { patron_id: id, account_balance: balance, hidden, columns } = row;
  const restrictions = restrictionsOf(row).filter(({ type }) => type === kinds.owed.type);
  const isHeld = ({ hidden: { hold } }: { readonly hidden: Readonly<Record<string, unknown>> }): boolean =>
    isRecord(hold) && hold['patron_id'] === id;
  const keeps: Readonly<Record<string, boolean>> = {
    checkouts: db.checkouts.countOfPatron(id) > 0,
    debt: balance > 0,
    credit: balance < 0,
    guarantees: [...db.patrons.rows()].some((other) => other.hidden['guarantor_id'] === id),
    holds: [...db.items.rows()].some(isHeld),
    ...Object.fromEntries(COUNTED.map((name) => [name, Number(hidden[name] ?? 0) > 0])),
    restriction: restrictedUntil({ ...row, hidden: { ...hidden, restrictions } }) !== null,
    protected: columns.protected,
    staff: row.permissions.size > 0,
    anonymous_patron: settings.preferences.AnonymousPatron === String(id),
  };
  return Object.keys(keeps).filter((name) => keeps[name]);
}

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

const listDeletions = pluginRoute('service', 'GET', '/deletions', ({ double, query }) => {
  const patrons = String(query['patron_ids'])
    .split(',')
    .flatMap((id) => double.db.patrons.get(Number(id)) ?? [])
    .map((row) => ({ patron_id: row.patron_id, blocks: blocksOf(double, row), ...useOf(double, row) }));
  return ok({ patrons });
});

/** Whether the patron has this home key, and no other. */
function hasHomeKey({ attributes }: PatronRow, type: unknown, key: unknown): boolean {
  const keys = attributes.filter((attribute) => attribute.type === type);
  return keys.length === 1 && keys[0]?.value === key;
}

const addDeletion = pluginRoute('service', 'POST', '/deletions', ({ double, body }) => {
  const { patron_id: id, home_key: key, home_key_type: type } = isRecord(body) ? body : {};
  const row = double.db.patrons.get(Number(id));
  if (row === undefined)
    return problem(404, 'There is no such patron', { error_code: 'not_found', blocks: [] });
  const remembered = double.db.copies.rows().find(({ patron_id }) => patron_id === row.patron_id);
  if (!hasHomeKey(row, type, key) || remembered?.home_key !== key) {
    return problem(409, 'The patron is not a copy with this home key that the service made', {
      error_code: 'not_this_copy',
      blocks: [],
    });
  }
  const blocks = blocksOf(double, row);
  if (blocks.length > 0) {
    return problem(409, 'Something keeps this patron', { error_code: 'blocked', blocks });
  }
  double.db.patrons.delete(row.patron_id);
  return { status: 204 };
});

/** What a copy owes, in numbers; null where the record is no copy with exactly this home key any more. */
function owedBy({ db, clock }: Double, { patron_id, home_key }: CopyRow, type: unknown) {
  const row = db.patrons.get(patron_id);
  if (row === undefined || !hasHomeKey(row, type, home_key)) return null;
  const isOverdue = ({ due_date }: { readonly due_date: string }): boolean =>
    Date.parse(due_date) < clock.nowMs();
  return {
    patron_id,
    home_key,
    overdues: db.checkouts.ofPatron(patron_id).filter(isOverdue).length,
    amount: Math.max(0, Math.round(row.account_balance * 100)),
  };
}

const listOwed = pluginRoute('service', 'GET', '/owed', (call) => {
  const { home_key_type: type, limit = 200 } = call.query;
  const page = pageOf(call, call.double.db.copies.rows(), ({ patron_id }) => patron_id);
  const own = page.flatMap((row) => owedBy(call.double, row, type) ?? []);
  return ok({
    rows: own.filter(({ overdues, amount }) => overdues > 0 || amount > 0),
    read: own.length,
    next: page.length === Number(limit) ? (page.at(-1)?.patron_id ?? null) : null,
  });
});

export const copyRoutes: readonly Operation[] = [
  listCopies,
  keepCopy,
  noteChecked,
  getStanding,
  listDeletions,
  addDeletion,
  listOwed,
  listRestrictions,
  listPatronRestrictions,
  setRestriction,
  liftRestriction,
];
