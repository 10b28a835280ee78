import { ok, problem } from '../answer.ts';
import type { Double } from '../double.ts';
import { pluginRoute } from './plugin-route.ts';

const FULL_PAGE = 500;
const MOST_DAYS = 31;
const DAY_MS = 24 * 3_600_000;
const KINDS = {
  issue: 'checkouts',
  onsite_checkout: 'checkouts',
  renew: 'renewals',
  return: 'returns',
} as const;

/** Milliseconds of a day's beginning, in UTC; null where there is no such day. */
function startOf(day: string): number | null {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day ? null : ms;
}

/** Whose a visitor is: by the one passport, or by the plugin's row of a copy that is deleted. */
function homeOf({ db }: Double, patronId: number, passportType: unknown): string | null {
  const row = db.patrons.get(patronId);
  const passports = row?.attributes.filter(({ type }) => type === passportType) ?? [];
  const remembered = db.copies.rows().find(({ patron_id }) => patron_id === patronId)?.home_key;
  const home = (row === undefined ? remembered?.split(':')[0] : passports[0]?.value) ?? '';
  return passports.length > 1 || !/^[\w-]{1,40}$/.test(home) ? null : home;
}

function rowsOf(double: Double, day: string, passportType: unknown) {
  const rows = new Map<string, Record<'checkouts' | 'renewals' | 'returns', number>>();
  for (const { at, type, branch, patron_id: id } of double.db.loans) {
    const home = at.startsWith(day) ? homeOf(double, id, passportType) : null;
    if (home === null) continue;
    const row = rows.get(`${home} ${branch}`) ?? { checkouts: 0, renewals: 0, returns: 0 };
    rows.set(`${home} ${branch}`, { ...row, [KINDS[type]]: row[KINDS[type]] + 1 });
  }
  return [...rows]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, counts]) => {
      const [home = '', branch = ''] = name.split(/ (.*)/s);
      return { day, home, branch, ...counts };
    });
}

/** Checkouts, renewals and returns of copies, in whole days that are over. */
export const listLoans = pluginRoute('service', 'GET', '/loans', ({ double, query }) => {
  const [first, last] = [startOf(String(query['from'])), startOf(String(query['to']))];
  if (first === null || last === null || last < first || last - first >= MOST_DAYS * DAY_MS)
    return problem(400, 'These are no days, or more than 31', { error_code: 'no_days' });
  if (double.settings.preferences.DisableStatistics === '1')
    return problem(409, 'This Koha keeps no statistics', { error_code: 'no_statistics' });
  const today = double.clock.today();
  const rows: ReturnType<typeof rowsOf> = [];
  let [until, ms]: [string | null, number] = [null, first];
  const dayOf = (): string => new Date(ms).toISOString().slice(0, 10);
  const isOpen = (): boolean => ms <= last && dayOf() < today;
  for (; isOpen() && rows.length < FULL_PAGE; ms += DAY_MS) {
    until = dayOf();
    rows.push(...rowsOf(double, until, query['passport_type']));
  }
  return ok({ rows, until, next: isOpen() ? dayOf() : null });
});
