import { type Hostility, eachRow, json, on } from './hostile-answer.ts';

/** Numbers of copies that only a hostile lending library has; the one at home follows from each. */
export const MADE_UP = 1_000_000;
const HOME = 'midland';
const PAGE = 100;
/** So many patrons does the list of invented copies name: more than the home library has. */
const INVENTED = 300;

/** A record without a value, so that whatever follows home is written into it. */
const empty = (patronId: number, homeKey: string): object => ({
  patron_id: patronId,
  cardnumber: null,
  surname: null,
  firstname: null,
  library_id: 'MAIN',
  category_id: 'PT',
  date_enrolled: '2037-01-01',
  expiry_date: null,
  date_of_birth: null,
  email: null,
  phone: null,
  address: null,
  city: null,
  extended_attributes: [
    { type: 'PASSPORTED', value: HOME, extended_attribute_id: 1 },
    { type: 'PASSPORTED_ID', value: homeKey, extended_attribute_id: 2 },
  ],
});

const isList = ({ query }: { readonly query: URLSearchParams }): boolean =>
  query.get('q')?.includes('extended_attributes') === true;

/** The number after which a page of the list of copies begins. */
function afterOf(query: URLSearchParams): number {
  const [, after = '0'] = /"me\.patron_id":\{">":(\d+)\}/.exec(query.get('q') ?? '') ?? [];
  return Number(after);
}

/** Answers the list of copies with these rows, a page after each number. */
const list =
  (rowsAfter: (after: number) => readonly object[]): Hostility =>
  (request) => {
    if (request.method !== 'GET' || request.path !== '/patrons' || !isList(request)) return undefined;
    return json(rowsAfter(afterOf(request.query)));
  };

/** Every number is a copy, of the patron at home with the same number without a million. */
const shown = on('GET', /^\/patrons\/1\d{6}$/, ({ path }) => {
  const patronId = Number(path.slice('/patrons/'.length));
  return json(empty(patronId, `${HOME}:${patronId - MADE_UP}`));
});

/** The plugin says that the service has written into whatever it is asked about, and remembers nothing of it. */
const remembered = on('GET', /^\/contrib\/passport\/copies$/, ({ query }) => {
  const [after, upTo] = [Number(query.get('after')), Number(query.get('up_to'))];
  const rows = Array.from({ length: Math.min(PAGE, Math.max(0, upTo - after)) }, (_, n) => after + n + 1);
  const row = (id: number): object => ({
    patron_id: id,
    version: 1,
    home_key: `${HOME}:${id - MADE_UP}`,
    fields: {},
    restricted_at: [],
  });
  return json({ copies: rows.map(row) });
});

const firstOf =
  (...hostilities: readonly Hostility[]): Hostility =>
  (request) => {
    for (const hostility of hostilities) {
      const answer = hostility(request);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };

const pageOf = (after: number, last: number, keyOf: (n: number) => string): readonly object[] => {
  const from = Math.max(after, MADE_UP);
  const count = Math.min(PAGE, Math.max(0, last - from));
  return Array.from({ length: count }, (_, n) => empty(from + n + 1, keyOf(from + n + 1 - MADE_UP)));
};

/** Its own copies, honest but for whose they are and what they hold. */
const disguised = (row: Record<string, unknown>): object => {
  if (row['category_id'] !== 'PT') return row;
  const number = Number(row['patron_id']);
  return { ...row, ...empty(number, `${HOME}:${(number % 40) + 2}`), cardnumber: row['cardnumber'] };
};

/** What a lending library, or somebody who may edit patrons there, can show of copies to be told of patrons whom it has not seen. */
export const HOSTILE_RECORDS: Readonly<Record<string, Hostility>> = {
  'copies that nobody made': firstOf(
    shown,
    remembered,
    list((after) => pageOf(after, MADE_UP + INVENTED, (n) => `${HOME}:${n}`)),
  ),
  'its own copies under the keys of others': (request) => {
    if (request.method !== 'GET' || !request.path.startsWith('/patrons') || request.status !== 200) {
      return remembered(request);
    }
    if (request.path === '/patrons') return isList(request) ? eachRow(request, disguised) : undefined;
    return json(disguised(JSON.parse(request.text) as Record<string, unknown>));
  },
  'its own copies with nothing in them and nothing remembered': (request) => {
    const hollow = (row: Record<string, unknown>): object =>
      row['category_id'] === 'PT' ? { ...row, surname: null, email: null, phone: null, city: null } : row;
    if (request.method !== 'GET' || request.status !== 200) return undefined;
    if (request.path === '/contrib/passport/copies') {
      const { copies } = JSON.parse(request.text) as { readonly copies: readonly object[] };
      return json({ copies: copies.map((copy) => ({ ...copy, fields: {} })) });
    }
    if (request.path === '/patrons' && isList(request)) return eachRow(request, hollow);
    if (!/^\/patrons\/\d+$/.test(request.path)) return undefined;
    return json(hollow(JSON.parse(request.text) as Record<string, unknown>));
  },
  'copies without an end': firstOf(
    shown,
    remembered,
    list((after) => pageOf(after, Number.MAX_SAFE_INTEGER, (n) => `${HOME}:${n + 5_000}`)),
  ),
  'rows that are no copies, without an end': list((after) =>
    pageOf(after, Number.MAX_SAFE_INTEGER, (n) => `nowhere-${n}:${n}`),
  ),
  'debts of patrons whom it has not seen': firstOf(
    shown,
    remembered,
    on('GET', /^\/contrib\/passport\/owed$/, ({ query }) => {
      const after = Number(query.get('after'));
      const rows = Array.from({ length: after === 0 ? 60 : 0 }, (_, n) => ({
        patron_id: MADE_UP + n + 1,
        home_key: `${HOME}:${n + 1}`,
        overdues: 9,
        amount: 999_900,
      }));
      return json({ rows, read: rows.length, next: null });
    }),
  ),
};
