import { type Hostility, MEGABYTE, STRANGER_TEXT, json, longText, on } from './hostile-answer.ts';

const description = (body: string): Hostility => on('GET', /^\/?$/, () => ({ body }));
const about = (answer: unknown): Hostility => on('GET', /^\/contrib\/passport\/about$/, () => json(answer));

/** What a Koha can answer to questions about its set-up. */
export const HOSTILE_SET_UP: Readonly<Record<string, Hostility>> = {
  'a description of 100 MB': description(`{"paths":{"/x":"${'x'.repeat(100 * MEGABYTE)}"}}`),
  'a nested description': description('{"paths":'.repeat(MEGABYTE)),
  'a description of text': description(
    JSON.stringify({ paths: { [STRANGER_TEXT]: {} }, definitions: { patron: STRANGER_TEXT } }),
  ),
  'a plugin that reports text': about({
    version: STRANGER_TEXT,
    koha_version: longText(100_000),
    time: STRANGER_TEXT,
    attribute_types: [{ code: STRANGER_TEXT, unique_id: true, repeatable: false, mandatory: true }],
    preferences: { [STRANGER_TEXT]: STRANGER_TEXT, IndependentBranches: longText(100_000) },
    plack_workers: 1e308,
  }),
  'categories of text': on('GET', /^\/patron_categories$/, () =>
    json(
      Array.from({ length: 5_000 }, () => ({
        patron_category_id: STRANGER_TEXT,
        name: STRANGER_TEXT,
        category_type: STRANGER_TEXT,
        enrolment_fee: STRANGER_TEXT,
      })),
    ),
  ),
  'branches of text': on('GET', /^\/libraries$/, () =>
    json(Array.from({ length: 5_000 }, () => ({ library_id: STRANGER_TEXT, name: longText(1_000) }))),
  ),
  'rules of text': on('GET', /^\/circulation_rules/, () =>
    json([{ maxissueqty: STRANGER_TEXT, context: { patron_category_id: STRANGER_TEXT } }]),
  ),
};
