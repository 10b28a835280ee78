import {
  type HostileAnswer,
  type Hostility,
  MEGABYTE,
  STRANGER_CODE,
  STRANGER_TEXT,
  endless,
  fullPage,
  json,
  longText,
  on,
} from './hostile-answer.ts';

const create = (body: unknown, status: number): Hostility =>
  on('POST', /^\/patrons$/, () => json(body, status));

const checkout = (body: unknown, status: number): Hostility =>
  on('POST', /^\/checkouts$/, () => json(body, status));

/** Koha wants a confirmation, and this is what it says of it. */
const availability = (keys: Readonly<Record<string, unknown>>, group: string): Hostility => {
  const refused = checkout({ error: 'Confirmation error' }, 412);
  const actual = on('GET', /^\/checkouts\/availability$/, () =>
    json({ blockers: {}, confirms: {}, warnings: {}, confirmation_token: 'x', [group]: keys }),
  );
  return (request) => refused(request) ?? actual(request);
};

/** It says that it has the copy already, and answers so to the looks that follow. */
const conflictThen = (look: () => HostileAnswer): Hostility => {
  const conflict = create({ error: 'Duplicate ID', conflict: 'cardnumber' }, 409);
  const looked = on('GET', /^\/patrons$/, look);
  return (request) => conflict(request) ?? looked(request);
};

/** Nobody hears the outcome of the checkout, and this is what is there to look at. */
const lostCheckout = (look: Hostility): Hostility => {
  const lost = on('POST', /^\/checkouts$/, () => ({ status: 502, body: STRANGER_TEXT }));
  return (request) => lost(request) ?? look(request);
};

const manyKeys = Object.fromEntries(
  Array.from({ length: 20_000 }, (_, n) => [`${STRANGER_CODE}_${n}`, STRANGER_TEXT]),
);

/** What a lending library can answer to the copy, to the checkout and to the report. */
export const HOSTILE_LENDER: Readonly<Record<string, Hostility>> = {
  'a copy refused with text': create({ error: `Problem with ${STRANGER_TEXT}` }, 400),
  'a copy refused for a type of text': create(
    {
      error: `Tried to use an invalid attribute type. type=${STRANGER_TEXT}`,
      error_code: 'invalid_attribute_type',
    },
    400,
  ),
  'a copy refused for a type that looks like one': create(
    {
      error: `Missing mandatory extended attribute (type=${STRANGER_CODE})`,
      error_code: 'missing_mandatory_attribute',
    },
    400,
  ),
  'a copy refused for 10 MB': create({ error: longText(10 * MEGABYTE) }, 400),
  'a copy refused at a path of text': create(
    { errors: [{ message: STRANGER_TEXT, path: `/body/${STRANGER_TEXT}` }], status: 400 },
    400,
  ),
  'a copy refused for a branch of text': create({ error: `Given ${STRANGER_TEXT} does not exist` }, 400),
  'a conflict of text': create({ error: 'Duplicate ID', conflict: STRANGER_TEXT }, 409),
  'a conflict and pages without end': conflictThen(() =>
    fullPage((n) => ({ patron_id: n, cardnumber: `x${n}` })),
  ),
  'a conflict and a byte now and then': conflictThen(() => ({ body: endless(' ', 50) })),
  'a conflict and a surname of 10 MB': conflictThen(() =>
    json([{ patron_id: 1, cardnumber: 'x', surname: longText(10 * MEGABYTE) }]),
  ),
  'a conflict and an error of text': conflictThen(() =>
    json({ error: STRANGER_TEXT, error_code: STRANGER_CODE }, 500),
  ),
  'a copy refused for permissions of text': create(
    {
      error: 'Authorization failure. Missing required permission(s).',
      required_permissions: { borrowers: STRANGER_TEXT, [STRANGER_TEXT]: STRANGER_CODE },
    },
    403,
  ),
  'a copy that is nested': on('POST', /^\/patrons$/, () => ({
    status: 201,
    body: '{"a":'.repeat(MEGABYTE),
  })),
  'a copy without end': on('POST', /^\/patrons$/, () => ({
    status: 201,
    body: endless(STRANGER_TEXT.repeat(1_000)),
  })),
  'a copy at a place of text': on('POST', /^\/patrons$/, () => ({
    status: 201,
    headers: { location: `/api/v1/patrons/${encodeURIComponent(STRANGER_TEXT)}` },
    body: JSON.stringify({ patron_id: STRANGER_TEXT }),
  })),
  'a checkout refused with keys of text': checkout(
    { error: `Checkout not authorized (${STRANGER_CODE} ${STRANGER_TEXT})` },
    403,
  ),
  'a checkout refused with 10 MB': checkout(
    { error: `Checkout not authorized (${`${STRANGER_CODE} `.repeat(400_000)})` },
    403,
  ),
  'confirmations of text': availability({ [STRANGER_CODE]: STRANGER_TEXT, [STRANGER_TEXT]: 1 }, 'confirms'),
  'confirmations without end': availability(manyKeys, 'confirms'),
  'blockers without end': availability(manyKeys, 'blockers'),
  'a lost checkout and checkouts without end': lostCheckout(
    on('GET', /^\/checkouts$/, () => fullPage((n) => ({ checkout_id: n, patron_id: n, item_id: n }))),
  ),
  'a lost checkout and items without end': lostCheckout(
    on('GET', /^\/items$/, () => fullPage((n) => ({ item_id: n, external_id: STRANGER_TEXT }))),
  ),
  'a report answered with an error of text': on('PUT', /\/outcome$/, () =>
    json({ error: longText(100_000), required_permissions: { [STRANGER_TEXT]: 1 } }, 403),
  ),
  'a report answered without end': on('PUT', /\/outcome$/, () => ({ body: endless(longText(100_000)) })),
};
