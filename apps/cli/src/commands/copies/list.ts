import { type Consortium, type Library, loadConsortium } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { readCopyRecords } from '@passport/queue/copies';
import { csvRow } from '@passport/runtime';
import { attempt, type OpenKoha, withKohas } from '../../connect/koha-clients.ts';
import { type OpenQueue, perhapsWithQueue } from '../../connect/with-queue.ts';
import { splitHomeKey } from '../../places/home-key.ts';
import { openAudit } from '../../program/open-audit.ts';
import { lendersOf, listCopies, valueOf } from './copy.ts';
import { countsOf } from './plan.ts';
import { type CliDeps, defineCommand, type Report, optional } from '../../program/index.ts';

const COLUMNS = [
  'home_key',
  'lending',
  'patron_id',
  'branch',
  'category',
  'expiry',
  'since',
  'on_record',
] as const;

/** What went wrong at one library; the others are listed all the same. */
interface Trouble {
  readonly library: string;
  readonly code: string;
  readonly message: string;
}

/** A copy as it is listed: numbers, codes and dates, nothing of the person. */
function describeCopy({ id, copy }: Library, patron: KohaPatron) {
  const homeKey = valueOf(patron, copy.homeKeyAttribute);
  const passport = valueOf(patron, copy.passportAttribute);
  return {
    lending: id,
    patron_id: patron.patronId,
    /** Null where the library writes none, and for copies of older software. */
    home_key: homeKey,
    home: homeKey === null ? passport : (splitHomeKey(homeKey)?.home ?? null),
    branch: patron.libraryId,
    category: patron.categoryId,
    expiry: patron.expiryDate,
    /** The day Koha enrolled the patron at the lending library. */
    since: patron.dateEnrolled,
    anonymized: patron.anonymized === true,
  };
}

/** A copy, and whether the service has it on record, and so follows it; null: that is not known without Redis. */
type Listed = ReturnType<typeof describeCopy> & { readonly on_record: boolean | null };

/** The copies at one library, each passed on as it is read. Returns how many records could not be read. Throws KohaError. */
async function listAt(
  library: Library,
  koha: OpenKoha,
  of: string | undefined,
  open: OpenQueue | null,
  pass: (copy: Listed) => void,
  { signal }: CliDeps,
): Promise<number> {
  let unread = 0;
  for await (const { patrons, unreadable, broken } of listCopies(koha, library, of, { signal })) {
    const ids = patrons.map(({ patronId }) => patronId);
    const records = open === null ? null : await readCopyRecords(open.redis, library.id, ids);
    unread += unreadable.length + broken;
    for (const patron of patrons) {
      const copy = describeCopy(library, patron);
      if (of !== undefined && copy.home !== of) continue;
      const isRecorded = records?.get(copy.patron_id)?.homeKey === copy.home_key;
      pass({ ...copy, on_record: records === null ? null : isRecorded });
    }
  }
  return unread;
}

function printRemarks(
  copies: readonly Listed[],
  unreadable: number,
  consortium: Consortium,
  { progress }: Report,
): readonly string[] {
  const known = new Set(consortium.libraries.map(({ id }) => id));
  const homes = copies.map(({ home }) => home ?? '').filter((home) => !known.has(home));
  const unknown = countsOf(homes);
  for (const [home, count] of Object.entries(unknown)) {
    const what = home === '' ? 'have a home key that is none' : `name the home library "${home}"`;
    progress(`HOME_UNKNOWN: ${count} ${what}, which the configuration does not have`);
  }
  if (unreadable > 0) progress(`${unreadable} records cannot be read`);
  return Object.keys(unknown);
}

export const copiesList = defineCommand({
  summary: 'list the copies at the lending libraries, without personal data',
  description:
    "Lists the copies that the lending libraries' Kohas hold now, in pages of 100: home key, Koha's patron number there, branch, " +
    'category, expiry date, the day since when, and whether the service has it on record, which needs Redis. The output contains no name and no card. CSV, or JSON with --json. Copies of a ' +
    'home library that the configuration does not have are reported. A library that does not answer does not stop the others; the ' +
    'exit code is then 1.',
  examples: [
    'passport copies list',
    'passport copies list --at riverside --of midland',
    "passport copies list --json | jq '.copies | length'",
  ],
  options: {
    at: optional('<library>', 'only copies at this lending library'),
    of: optional('<library>', "only copies of this home library's patrons"),
  },
  run: ({ at, of }, _args, report, deps) =>
    perhapsWithQueue(deps, async (open): Promise<0 | 1> => {
      const consortium = loadConsortium(deps.env, deps.readFile);
      const lenders = lendersOf(consortium, at);
      const copies: Listed[] = [];
      const troubles: Trouble[] = [];
      const audit = openAudit(deps, 'copies_list', 'copies list');
      let unreadable = 0;
      const pass = (copy: Listed): void => {
        copies.push(copy);
        report.data(csvRow(COLUMNS.map((column) => String(copy[column] ?? ''))));
      };
      report.data(COLUMNS.join(','));
      await withKohas(lenders, deps, async (kohaOf) => {
        for (const library of lenders) {
          const before = copies.length;
          const listed = await attempt(listAt(library, kohaOf(library.id), of, open, pass, deps));
          if ('error' in listed) {
            const { code, message } = listed.error;
            troubles.push({ library: library.id, code, message });
            report.progress(`${message}; \`passport doctor ${library.id}\` says more`);
            continue;
          }
          unreadable += listed.value;
          audit({ lending: library.id, home: of ?? null, copies: copies.length - before });
        }
      });
      const unknownHomes = printRemarks(copies, unreadable, consortium, report);
      report.json({ copies, unknown_homes: unknownHomes, unreadable, failed: troubles });
      return troubles.length === 0 ? 0 : 1;
    }),
});
