import { type Consortium, explainConfig, type Library, windowAt } from '@passport/config';
import { foldCard } from '@passport/contract';
import { type Explanation, explain, readAnswer, type Search } from '@passport/patron-rules';
import { openReceipts } from '@passport/queue/copies';
import { hourUseOf, openLedger } from '@passport/queue/ledger';
import { type PauseSide, readControl } from '@passport/queue/processes';
import { localTime, createEncryption, type Redis } from '@passport/runtime';
import { attempt, withKohas } from '../../connect/koha-clients.ts';
import { withQueue } from '../../connect/with-queue.ts';
import {
  branchOf,
  cardFromInput,
  type CliDeps,
  defineCommand,
  Failure,
  findLibrary,
  localDay,
  readLines,
  required,
  optional,
  WrongUse,
} from '../../program/index.ts';
import { openAudit } from '../../program/open-audit.ts';
import { asksOf, consentOf, describeExplanation, outcomeOf } from './describe-explanation.ts';

/** A library that is paused at this moment. */
interface PausedLibrary {
  readonly library: string;
  readonly side: PauseSide;
  readonly until_ms: number;
  readonly reason: string;
  /** Who has ordered it; null: it is planned in the configuration (`windows`). */
  readonly by: string | null;
}

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

/** What operators have paused, and what the configuration plans, as for workers: of both the pause that lasts longer. */
async function readPausedNow(redis: Redis, nowMs: number) {
  const { pauses } = await readControl(redis);
  return ({ id: library, windows }: Library, side: PauseSide): PausedLibrary | null => {
    const ordered = pauses.find(
      (pause) => pause.library === library && pause.side === side && pause.until_ms > nowMs,
    );
    const planned = windowAt(windows, side, nowMs);
    if (ordered !== undefined && ordered.until_ms >= (planned?.untilMs ?? 0)) return ordered;
    return planned && { library, side, until_ms: planned.untilMs, reason: planned.reason, by: null };
  };
}

async function query(
  { consortium, lending, card, branch }: Question,
  pauseOf: (library: Library) => PausedLibrary | null,
  noteSearch: (search: Search) => Promise<void>,
  deps: CliDeps,
): Promise<Explained> {
  const paused: PausedLibrary[] = [];
  const { signal } = deps;
  const { homeKeyAttribute } = lending.copy;
  const balance = lending.eligibility.maxDebt !== null;
  const explaining = withKohas(consortium.libraries, deps, (kohaOf) => {
    const here = kohaOf(lending.id);
    return explain({
      consortium,
      lendingId: lending.id,
      card,
      branch,
      scannedOn: localDay(deps.now()),
      signal,
      // A paused library is not called, as no worker calls it.
      async query(id, wanted, limit) {
        const pause = pauseOf(findLibrary(consortium, id));
        if (pause !== null) {
          paused.push(pause);
          return { kind: 'no_answer', reason: 'PAUSED', retryAfterMs: pause.until_ms - deps.now() };
        }
        return readAnswer(kohaOf(id).findByCard(wanted, { attributes: true, balance }, { signal: limit }));
      },
      capabilities: () => here.capabilities({ signal }),
      takesRestrictions: () => here.takesRestrictions('home', { signal }),
      async branches() {
        const read = await attempt(here.branches({ signal }));
        if ('value' in read) return read.value.map((each) => each.branch);
        if (read.error.code === 'permission') return null;
        throw read.error;
      },
      hasPossibleDuplicate: (person) => here.hasPossibleDuplicate(person, { signal }),
      noteSearch,
      isGone: async (id, patronId) => {
        const patron = await kohaOf(id).readPatron(patronId, { signal });
        return patron === null || patron.anonymized === true;
      },
      lookLocally: async (homeKey, cards) => {
        const [byCard, byHomeKey] = await Promise.all([
          here.findByCard(cards, { attributes: true, balance: false }, { signal }),
          homeKeyAttribute === null ? [] : here.findByAttribute(homeKeyAttribute, homeKey, { signal }),
        ]);
        return { byCard, byHomeKey };
      },
    });
  });
  const tried = await attempt(explaining);
  if ('error' in tried) {
    const { message, library, operation, code, permission } = tried.error;
    const details = { library, operation, code, permission };
    throw new Failure(`${message}; \`passport doctor ${library}\` says more`, details);
  }
  const queried = tried.value.queried.filter((id) => !paused.some(({ library }) => library === id));
  return { explanation: { ...tried.value, queried }, paused };
}

/**
 * Queries as a scan would: under the lending library's hourly limits, and with a line in the audit whatever comes
 * of it, so that nobody with a shell looks up people unseen and without end.
 */
function counted(question: Question, cardHash: string, deps: CliDeps) {
  const { lending, consortium } = question;
  const event = deps.newId();
  const openedAudit = openAudit(deps, 'explain', 'explain');
  const audit = (what: object): void =>
    openedAudit({ event, lending: lending.id, card_hash: cardHash, ...what });
  return withQueue(deps, async ({ redis, now }) => {
    const ledger = openLedger(redis);
    const pausedNow = await readPausedNow(redis, await now());
    const waiting = pausedNow(lending, 'lending');
    if (waiting !== null) {
      // A scan would wait, and nobody would be queried for it.
      audit({ result: 'paused' });
      return { kind: 'waits', paused: waiting } as const;
    }
    const reservation = await ledger.reserveQuota(lending.id, event, lending.limits);
    if (reservation.kind === 'limit_reached') {
      const { limit, freeInMs } = reservation;
      audit({ result: 'limit_reached', limit });
      const minutes = Math.ceil(freeInMs / 60_000);
      const problem = `${lending.id} has used up its ${limit} of this hour; try again in ${minutes} minutes`;
      throw new Failure(problem, { code: 'limit_reached' });
    }
    try {
      const receipts = openReceipts(redis);
      // The lending library learns of the person by the search, whatever it finds.
      const noteSearch = async (search: Search): Promise<void> => {
        const at = await now();
        const receipt = { ...search, at: new Date(at).toISOString(), lending: lending.id, eventId: event };
        await receipts.append({ ...receipt, what: 'observed' }, at, consortium.retention.receiptsMs);
      };
      const pauseOf = (library: Library): PausedLibrary | null => pausedNow(library, 'home');
      const { explanation, paused } = await query(question, pauseOf, noteSearch, deps);
      const outcome = outcomeOf(explanation, lending.copy.mode === 'observe');
      audit({ queried: explanation.queried, found: explanation.homes, result: outcome });
      const used = hourUseOf({ outcome, homes: explanation.homes, hasSentRecord: false });
      await ledger.releaseQuota(lending.id, event, used);
      return { kind: 'explained', explanation, outcome, paused } as const;
    } catch (error) {
      audit({ result: 'failed' });
      throw error;
    }
  });
}

const pausedJson = ({ library, side, until_ms: untilMs, reason, by }: PausedLibrary) => ({
  library,
  as: side,
  until: new Date(untilMs).toISOString(),
  reason,
  by,
});

const pausedText = ({ library, side, until_ms: untilMs, reason, by }: PausedLibrary): string =>
  `${library} as ${side} library until ${localTime(untilMs)}, ` +
  `${by === null ? 'as planned in the configuration' : `by ${by}`}: ${reason}`;

export const explainCard = defineCommand({
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
  options: {
    at: required('<library>', 'the lending library, where the card is scanned'),
    card: cardFromInput(),
    branch: optional(
      '<code>',
      "the branch of the scan; default: the fixed branch of the library's copies, or MAIN",
    ),
  },
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
    const [consent, asks] = [consentOf(explanation, lending), asksOf(explanation, lending)];
    report.json({ outcome, consent, asks, paused: paused.map(pausedJson), ...explanation });
    const text = { outcome, asks, consent, paused: paused.map(pausedText) };
    for (const line of describeExplanation(explanation, text, consortium, report.colors)) report.line(line);
    return 0;
  },
});
