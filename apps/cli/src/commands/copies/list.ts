import { Option } from 'commander';
import { type Consortium, type Library, loadConsortium } from '@passport/config';
import { KohaError, PATRONS_A_PAGE } from '@passport/koha-client';
import { readCopyRecords } from '@passport/queue';
import { csvRow } from '@passport/runtime';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { CommandDraft } from '../../program/command.ts';
import { type OpenKoha, openKohas } from '../../connect/koha-clients.ts';
import { openLog } from '../../program/open-log.ts';
import type { Report } from '../../program/report.ts';
import { type OpenQueue, perhapsWithQueue } from '../../connect/with-queue.ts';
import { type ListedCopy, describeCopy } from './describe-copy.ts';
import { inBatches } from './in-batches.ts';
import { countsOf, lendersOf, readCopies } from './read-copies.ts';

interface ListOptions {
  readonly at?: string;
  readonly of?: string;
}

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

/** A copy, and whether the service has it on record, and so follows it; null: that is not known without Redis. */
type Listed = ListedCopy & { readonly on_record: boolean | null };

/** The copies at one library, each passed on as it is read. Returns how many records could not be read. Throws KohaError. */
async function listAt(
  library: Library,
  koha: OpenKoha,
  of: string | undefined,
  open: OpenQueue | null,
  pass: (copy: Listed) => void,
  { signal }: CliDeps,
): Promise<number> {
  const { homeKeyAttribute: homeKey, passportAttribute: passport } = library.copy;
  let unreadable = 0;
  for await (const rows of inBatches(readCopies(koha, library, of, { signal }), PATRONS_A_PAGE)) {
    const patrons = rows.filter((row) => row !== null);
    const ids = patrons.map(({ patronId }) => patronId);
    const records = open === null ? null : await readCopyRecords(open.redis, library.id, ids);
    unreadable += rows.length - patrons.length;
    for (const patron of patrons) {
      const copy = describeCopy(library.id, patron, { passport, homeKey });
      if (of !== undefined && copy.home !== of) continue;
      const isRecorded = records?.get(copy.patron_id)?.homeKey === copy.home_key;
      pass({ ...copy, on_record: records === null ? null : isRecorded });
    }
  }
  return unreadable;
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

export const copiesList: CommandDraft<ListOptions> = {
  name: 'list',
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
  options: [
    new Option('--at <library>', 'only copies at this lending library'),
    new Option('--of <library>', "only copies of this home library's patrons"),
  ],
  run: ({ at, of }, _args, report, deps) =>
    perhapsWithQueue(deps, async (open): Promise<0 | 1> => {
      const consortium = loadConsortium(deps.env, deps.readFile);
      const lenders = lendersOf(consortium, at);
      const kohas = openKohas(lenders, deps);
      const copies: Listed[] = [];
      const troubles: Trouble[] = [];
      const log = openLog(deps);
      const audit = { audit: true, action: 'copies_list', by: deps.user };
      let unreadable = 0;
      const pass = (copy: Listed): void => {
        copies.push(copy);
        report.line(csvRow(COLUMNS.map((column) => String(copy[column] ?? ''))));
      };
      report.line(COLUMNS.join(','));
      try {
        for (const library of lenders) {
          try {
            const before = copies.length;
            unreadable += await listAt(library, kohas.of(library.id), of, open, pass, deps);
            const listed = { home: of ?? null, copies: copies.length - before };
            log.info({ ...audit, lending: library.id, ...listed }, 'copies list');
          } catch (error) {
            if (!(error instanceof KohaError)) throw error;
            const { code, message } = error;
            troubles.push({ library: library.id, code, message });
            report.progress(`${message}; \`passport doctor ${library.id}\` says more`);
          }
        }
      } finally {
        kohas.close();
      }
      const unknownHomes = printRemarks(copies, unreadable, consortium, report);
      report.json({ copies, unknown_homes: unknownHomes, unreadable, failed: troubles });
      return troubles.length === 0 ? 0 : 1;
    }),
};
