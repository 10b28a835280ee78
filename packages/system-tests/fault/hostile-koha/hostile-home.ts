import {
  type HostileAnswer,
  type Hostility,
  MEGABYTE,
  STRANGER_CODE,
  STRANGER_TEXT,
  eachRow,
  endless,
  fullPage,
  json,
  longText,
  on,
} from './hostile-answer.ts';

const list = (answer: Parameters<typeof on>[2]): Hostility => on('GET', /^\/patrons$/, answer);
const changed = (change: (row: Record<string, unknown>) => object): Hostility =>
  list((request) => eachRow(request, (row) => ({ ...row, ...change(row) })));

const refusal = (required: unknown): HostileAnswer =>
  json(
    {
      error: 'Authorization failure. Missing required permission(s).',
      required_permissions: required,
    },
    403,
  );

/** The answer to the request for a new token. */
const newToken = (token: unknown): Hostility => {
  let isKnown = false;
  return ({ method, path }) => {
    if (method === 'POST' && path === '/oauth/token') {
      isKnown = true;
      return json({ access_token: token, token_type: 'Bearer', expires_in: 3600 });
    }
    return isKnown ? undefined : json({ error: 'Authentication failure.' }, 401);
  };
};

async function* manyRows(): AsyncGenerator<string, void, void> {
  yield '[';
  yield* endless(`${JSON.stringify({ patron_id: 1, cardnumber: 'x', surname: STRANGER_TEXT })},`.repeat(50));
}

/** What a home library can answer when a card is looked up. */
export const HOSTILE_HOME: Readonly<Record<string, Hostility>> = {
  'a surname of 10 MB': changed(() => ({ surname: longText(10 * MEGABYTE) })),
  'a field of 100 KB': changed(() => ({ email: 'é'.repeat(100_000), surname: 'é'.repeat(100_000) })),
  'nesting of 8 MB': list(() => ({ body: '['.repeat(8 * MEGABYTE) })),
  'nesting in a field': list(() => ({ body: `[{"patron_id":1,"x":${'{"a":'.repeat(MEGABYTE)}` })),
  'full pages without end': list(() => fullPage((n) => ({ patron_id: n, cardnumber: `x${n}` }))),
  'rows without end': list(() => ({ body: manyRows() })),
  'blanks without end': list(() => ({ body: endless(' '.repeat(100_000)) })),
  'a byte now and then': list(() => ({ body: endless(' ', 50) })),
  'attributes without end': changed(() => ({
    extended_attributes: Array.from({ length: 100_000 }, (_, n) => ({
      type: STRANGER_TEXT,
      value: `${n}`,
      extended_attribute_id: n,
    })),
  })),
  'a number beyond all numbers': list(({ text }) => ({
    body: text.replace(/"patron_id":\s*\d+/, '"patron_id":1e308'),
  })),
  'a balance of a million digits': changed(() => ({ account_balance: '9'.repeat(MEGABYTE) })),
  'dates of text': changed(() => ({ expiry_date: STRANGER_TEXT, date_of_birth: longText(100_000) })),
  'a category of text': changed(() => ({ category_id: STRANGER_TEXT })),
  'names that write backwards': changed(() => ({ surname: '\u202eQvist\u200b\u{e0041}\u2066gaard' })),
  'a permission of text': list(() => refusal({ borrowers: STRANGER_TEXT, [STRANGER_TEXT]: '1' })),
  'a permission that looks like one': list(() => refusal({ borrowers: STRANGER_CODE.toLowerCase() })),
  'a permission of 10 MB': list(() => refusal({ borrowers: longText(10 * MEGABYTE) })),
  'permissions without end': list(() =>
    refusal(Array.from({ length: 20_000 }, () => ({ [STRANGER_TEXT]: STRANGER_TEXT }))),
  ),
  'a branch of text': list(() =>
    json(
      { error: `Unauthorized attempt to set library to ${STRANGER_TEXT}`, required_permissions: null },
      403,
    ),
  ),
  'an error of text': list(() => json({ error: STRANGER_TEXT, error_code: STRANGER_CODE }, 500)),
  'a refusal of text': list(() => json({ error: longText(MEGABYTE), error_code: STRANGER_CODE }, 400)),
  'a redirect elsewhere': list(() => ({
    status: 302,
    headers: { location: 'http://127.0.0.1:9/' },
    body: '',
  })),
  'patience for a century': list(() => ({
    status: 429,
    headers: { 'retry-after': '99999999999' },
    body: '{}',
  })),
  'headers of 100 KB': list(() => ({
    headers: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-${n}`, longText(1_000)])),
    body: '[]',
  })),
  'a token of 1 MB': newToken(longText(MEGABYTE)),
  'a token of two lines': newToken(`x\r\nx-koha-library: ${STRANGER_TEXT}`),
  'a token that is none': newToken({ [STRANGER_TEXT]: STRANGER_TEXT }),
};
