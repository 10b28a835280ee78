import { Option } from 'commander';
import { type Consortium, type Library, explainConfig } from '@passport/config';
import { foldCard } from '@passport/contract';
import { KohaError } from '@passport/koha-client';
import { hourUseOf, openLedger, openReceipts } from '@passport/queue';
import { createEncryption } from '@passport/runtime';
import { type Explanation, type Search, explain, readAnswer } from '@passport/patron-rules';
import type { CliDeps } from '../../program/cli-deps.ts';
import { type CommandDraft, atLibrary, cardFromInput } from '../../program/command.ts';
import { attempt } from '../doctor/koha-failure.ts';
import { consentOf, describeExplanation, outcomeOf } from './describe-explanation.ts';
import { Failure, WrongUse } from '../../program/failure.ts';
import { branchOf, findLibrary } from '../../program/find-library.ts';
import { openKohas } from '../../connect/koha-clients.ts';
import { localDay } from '../../program/local-time.ts';
import { type PausedLibrary, type PausedNow, pausedJson, pausedText, readPausedNow } from './paused-now.ts';
import { readLines } from '../../program/read-lines.ts';
import { openLog } from '../../program/open-log.ts';
import { withQueue } from '../../connect/with-queue.ts';

interface Question {
  readonly consortium: Consortium;
  readonly lending: Library;
  readonly card: string;
  readonly branch: string;
}

/** What would be decided, and which home libraries were left out because they are paused. */
interface Explained {
  readonly explanation: Explanation;
  readonly paused: readonly PausedLibrary[];
}

async function query(
  { consortium, lending, card, branch }: Question,
  pausedNow: PausedNow,
  noteSearch: (search: Search) => Promise<void>,
  deps: CliDeps,
): Promise<Explained> {
  const paused: PausedLibrary[] = [];
  const pauseOf = (id: string): PausedLibrary | null => {
    const library = consortium.libraries.find((each) => each.id === id);
    return library === undefined ? null : pausedNow(library, 'home');
  };
  const kohas = openKohas(consortium.libraries, deps);
  const here = kohas.of(lending.id);
  const { signal } = deps;
  const { homeKeyAttribute } = lending.copy;
  const balance = lending.eligibility.maxDebt !== null;
  try {
    const explanation = await explain({
      consortium,
      lendingId: lending.id,
      card,
      branch,
      scannedOn: localDay(deps.now()),
      signal,
      // A paused library is not called, as no worker calls it.
      async query(id, wanted, limit) {
        const pause = pauseOf(id);
        if (pause !== null) {
          paused.push(pause);
          return { kind: 'no_answer', reason: 'PAUSED', retryAfterMs: pause.until_ms - deps.now() };
        }
        return readAnswer(kohas.of(id).findByCard(wanted, { attributes: true, balance }, { signal: limit }));
      },
      capabilities: () => here.capabilities({ signal }),
      async branches() {
        const read = await attempt(here.branches({ signal }));
        if ('value' in read) return read.value.map((each) => each.branch);
        if (read.error.code === 'permission') return null;
        throw read.error;
      },
      hasPossibleDuplicate: (person) => here.hasPossibleDuplicate(person, { signal }),
      noteSearch,
      isGone: async (id, patronId) => {
        const patron = await kohas.of(id).readPatron(patronId, { signal });
        return patron === null || patron.anonymized === true;
      },
      lookLocally: async (homeKey) => {
        const [byCard, byHomeKey] = await Promise.all([
          here.findByCard(card, { attributes: true, balance: false }, { signal }),
          homeKeyAttribute === null ? [] : here.findByAttribute(homeKeyAttribute, homeKey, { signal }),
        ]);
        return { byCard, byHomeKey };
      },
    });
    const isPaused = (id: string): boolean => paused.some(({ library }) => library === id);
    const { asked: queried } = explanation;
    return { explanation: { ...explanation, asked: queried.filter((id) => !isPaused(id)) }, paused };
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    const { library, operation, code, permission } = error;
    throw new Failure(`${error.message}; \`passport doctor ${library}\` says more`, {
      library,
      operation,
      code,
      permission,
    });
  } finally {
    kohas.close();
  }
}

/**
 * Queries as a scan would: under the lending library's hourly limits, and with a line in the audit whatever comes
 * of it, so that nobody with a shell looks up people unseen and without end.
 */
function counted(question: Question, cardHash: string, deps: CliDeps) {
  const { lending } = question;
  const event = deps.newId();
  const audit = {
    audit: true,
    action: 'explain',
    by: deps.user,
    event,
    lending: lending.id,
    card_hash: cardHash,
  };
  return withQueue(deps, async ({ redis, now }) => {
    const ledger = openLedger(redis);
    const log = openLog(deps);
    const pausedNow = await readPausedNow(redis, await now());
    const waiting = pausedNow(lending, 'lending');
    if (waiting !== null) {
      // A scan would wait, and nobody would be queried for it.
      log.info({ ...audit, result: 'paused' }, 'explain');
      return { kind: 'waits', paused: waiting } as const;
    }
    const reservation = await ledger.reserveQuota(lending.id, event, lending.limits);
    if (reservation.kind === 'limit_reached') {
      const { limit, freeInMs } = reservation;
      log.info({ ...audit, result: 'limit_reached', limit }, 'explain');
      const minutes = Math.ceil(freeInMs / 60_000);
      throw new Failure(
        `${lending.id} has used up its ${limit} of this hour; try again in ${minutes} minutes`,
        {
          code: 'limit_reached',
        },
      );
    }
    try {
      const receipts = openReceipts(redis);
      // The lending library learns of the person by the search, whatever it finds.
      const noteSearch = async (search: Search): Promise<void> => {
        const at = await now();
        const receipt = { ...search, at: new Date(at).toISOString(), lending: lending.id, eventId: event };
        await receipts.append({ ...receipt, what: 'observed' }, at, question.consortium.retention.receiptsMs);
      };
      const { explanation, paused } = await query(question, pausedNow, noteSearch, deps);
      const outcome = outcomeOf(explanation, lending.copy.mode === 'observe');
      log.info({ ...audit, asked: explanation.asked, found: explanation.homes, result: outcome }, 'explain');
      const used = hourUseOf({ outcome, homes: explanation.homes, hasSentRecord: false });
      await ledger.settle(lending.id, event, outcome, new Date(await now()).toISOString(), { used });
      return { kind: 'explained', explanation, outcome, paused } as const;
    } catch (error) {
      log.info({ ...audit, result: 'failed' }, 'explain');
      throw error;
    }
  });
}

export const explainCard: CommandDraft<{ at: string; branch?: string }> = {
  name: 'explain',
  summary: 'show what the worker would do with a card, without writing anything',
  description:
    'Makes the same decisions as the worker for a card that is scanned at a library now: which libraries are queried, the home ' +
    'library, the outcome, and the names of the fields that would be copied. Reads from the Kohas and writes nothing to them. A library ' +
    'that is paused, by command or as planned, is not queried: it says until when, why, and who has paused it. ' +
    'Where the library wants nobody copied of whose name and birth date somebody is registered, it searches for them there, and writes a receipt of that. ' +
    "Counts against the library's hourly limits and is recorded in the audit log, like a scan. " +
    'The card is read from standard input, so that it appears in no process list and no shell history.',
  examples: [
    'passport explain --at riverside --card -          (type the card, then Enter)',
    'passport explain --at riverside --branch NORTH --card - < card.txt',
  ],
  options: [
    atLibrary('the lending library, where the card is scanned'),
    cardFromInput(),
    new Option(
      '--branch <code>',
      "the branch of the scan; default: the fixed branch of the library's copies, or MAIN",
    ),
  ],
  run: async ({ at, branch }, _args, report, deps): Promise<0 | 1> => {
    const { consortium, keys } = explainConfig(deps.env, deps.readFile);
    const lending = findLibrary(consortium, at);
    if (!consortium.agreements.isLending(at)) {
      throw new WrongUse(`no agreement has ${at} as its lending library`);
    }
    const [card = ''] = await readLines(deps, ['card']);
    const question = { consortium, lending, card, branch: branch ?? branchOf(lending) };
    const cardHash = createEncryption(keys.map((key) => key.reveal())).hash('card', foldCard(card));
    const found = await counted(question, cardHash, deps);
    if (found.kind === 'waits') {
      report.json({ outcome: null, paused: [pausedJson(found.paused)] });
      report.line(report.colors.bold('PAUSED'));
      report.line(`  ${pausedText(found.paused)}`);
      report.line('  Nobody was queried: a scan waits until then, and is decided after it.');
      return 0;
    }
    const { explanation, outcome, paused } = found;
    const consent = consentOf(explanation, lending);
    report.json({ outcome, consent, paused: paused.map(pausedJson), ...explanation });
    const said = { outcome, consent, paused: paused.map(pausedText) };
    for (const line of describeExplanation(explanation, said, consortium, report.colors)) report.line(line);
    return 0;
  },
};
