import { InvalidArgumentError, Option } from 'commander';
import type { Library } from '@passport/config';
import { loadConsortium } from '@passport/config';
import { openReceipts } from '@passport/queue';
import type { CliDeps } from '../cli-deps.ts';
import type { CommandDraft } from '../command.ts';
import { atLibrary } from '../command.ts';
import { Failure, WrongUse } from '../failure.ts';
import { findLibrary } from '../find-library.ts';
import { openKoha } from '../koha-clients.ts';
import { localDay } from '../local-time.ts';
import { openLog } from '../open-log.ts';
import type { Report } from '../report.ts';
import { withQueue } from '../with-queue.ts';
import { copyTypesOf } from './copy-types.ts';
import { splitHomeKey } from './describe-copy.ts';
import type { Meanings } from './plan.ts';
import { printPlan } from './plan.ts';
import type { PurgeCase, PurgeFinding, PurgedCopy } from './purge-at.ts';
import { PluginMissing, purgeAt } from './purge-at.ts';

const MEANINGS: Meanings<PurgeFinding> = {
  purge: { good: true, says: 'nothing keeps it: it can be deleted' },
  deleted: { good: true, says: 'was moved to the deleted patrons of the Koha' },
  kept: { good: true, says: 'something keeps it' },
  unused_unknown: {
    says: 'Koha would not know of a later use: it does not track activity or keep the history',
  },
  merged: { says: 'a copy was merged into this own patron of the library: it is never deleted' },
  not_a_copy: { says: 'the record has no passport any more: it is the own patron of the library' },
  not_remembered: {
    says: 'the plugin does not remember that the service wrote into this record: it may be an own patron with a merged copy, or was made before version 1.1',
  },
  anonymized: { says: 'Koha has anonymised the record: its own jobs delete it' },
  not_this_copy: { says: 'it is not this copy any more' },
  gone: { good: true, says: 'somebody else has deleted it' },
  unreadable: { says: 'the record cannot be read' },
  failed: { says: 'the Koha did not answer: repeat the command' },
};

function parseMonths(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new InvalidArgumentError('It is not a number of months from 1 to 999.');
  return Number(text);
}

/** The day so many months before a day; the last of the month where that has no such day. */
export function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(date, lastOfMonth))).toISOString().slice(0, 10);
}

interface PurgeOptions {
  readonly at: string;
  readonly unused?: number;
  readonly expired?: boolean;
  readonly list?: boolean;
  readonly apply?: boolean;
}

function printCopies(
  copies: readonly PurgedCopy[],
  { unused, list, apply }: PurgeOptions,
  report: Report,
): 0 | 1 {
  if (list === true && !report.isJson) {
    for (const { finding, patron_id: id } of copies) if (finding === 'purge') report.line(String(id));
    report.progress(
      `${copies.filter(({ finding }) => finding === 'purge').length} numbers, nothing was changed`,
    );
    return 0;
  }
  for (const { patron_id: id, home_key: key, because, blocks, last_used: used, finding } of copies) {
    const keeps = blocks.length === 0 ? '' : ` by ${blocks.join(' ')}`;
    const lastUsed = unused === undefined ? '' : `  last used ${used ?? 'unknown'}`;
    report.line(`${id ?? '-'}  ${key ?? '-'}  ${because.join(' ')}${lastUsed}  ${finding}${keeps}`);
  }
  return printPlan(copies, MEANINGS, { applied: apply === true, lines: 'none' }, report);
}

/** Deletes with a receipt of each; without Redis, nothing is deleted. */
function withReceipts<T>(
  deps: CliDeps,
  library: Library,
  work: (write: PurgeCase['deleted']) => Promise<T>,
): Promise<T> {
  return withQueue(deps, ({ redis, consortium, now }) => {
    const receipts = openReceipts(redis);
    return work(async ({ homeKey }) => {
      const nowMs = await now();
      const at = new Date(nowMs).toISOString();
      const home = splitHomeKey(homeKey)?.home ?? '';
      const receipt = {
        at,
        home,
        lending: library.id,
        homeKey,
        fields: [],
        eventId: deps.newId(),
        what: 'deleted' as const,
      };
      await receipts.append(receipt, nowMs, consortium.retention.receiptsMs);
    });
  });
}

export const copiesPurge: CommandDraft<PurgeOptions> = {
  name: 'purge',
  summary: 'delete copies that are unused or expired, and that nothing keeps',
  description:
    'Plans which copies at a library can be deleted: expired ones, or those unused for so many months. A copy with a checkout, a debt, an ' +
    'unused credit, a guarantee, a hold, a list, a restriction (debt collection among them), staff permissions, or protection by Koha ' +
    'is kept, and the plan says by what. --list prints the patron numbers only, for `misc/cronjobs/delete_patrons.pl --file` of Koha. ' +
    "--apply has the library's plugin check every copy again and delete it in the same transaction; every deletion has a receipt. " +
    '"Unused" needs what Koha knows: where it does not track activity, or removes the history, the copy is listed and not deleted.',
  examples: [
    'passport copies purge --at riverside --expired',
    'passport copies purge --at riverside --unused 24 --expired --apply',
    'passport copies purge --at riverside --expired --list > numbers.txt',
  ],
  options: [
    atLibrary('the lending library'),
    new Option('--unused <months>', 'copies that were not used for so many months').argParser(parseMonths),
    new Option('--expired', 'copies whose expiry date has passed'),
    new Option('--list', "print only the patron numbers, for Koha's own script").conflicts('apply'),
    new Option('--apply', 'do it'),
  ],
  run: async (options, _args, report, deps): Promise<0 | 1> => {
    const { at, unused, expired = false, apply = false } = options;
    if (unused === undefined && !expired)
      throw new WrongUse('say which copies: --unused MONTHS, --expired, or both');
    const library = findLibrary(loadConsortium(deps.env, deps.readFile), at);
    const types = copyTypesOf(library);
    const koha = openKoha(library, deps);
    const today = localDay(deps.now());
    const unusedSince = unused === undefined ? null : monthsBefore(today, unused);
    const log = openLog(deps);
    const audit = { audit: true, action: 'copies_purge', by: deps.user, lending: at };
    const copies: PurgedCopy[] = [];
    const work = async (deleted: PurgeCase['deleted']): Promise<0 | 1> => {
      const wanted = { library, types, koha, today, expired, unusedSince, signal: deps.signal };
      for await (const copy of purgeAt({ ...wanted, deleted })) {
        copies.push(copy);
        const { patron_id, home_key, because, blocks, finding: result } = copy;
        log.info({ ...audit, patron_id, home_key, because, blocks, result }, 'copies purge');
      }
      return printCopies(copies, options, report);
    };
    try {
      return apply ? await withReceipts(deps, library, work) : await work(null);
    } catch (error) {
      if (!(error instanceof PluginMissing)) throw error;
      throw new Failure(
        `${at} has no Patron Passport plugin that can say what keeps a copy: install the current one`,
        {
          code: 'no_plugin',
        },
      );
    } finally {
      koha.close();
    }
  },
};
