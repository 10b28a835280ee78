import { type Consortium, parseConsortium } from '@passport/config';
import { formatWebhookSecret } from '@passport/contract';
import { createKohaClient } from '@passport/koha-client';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import {
  type DisclosureReceipt,
  type Receipts,
  noteFindings,
  openReceipts,
  pruneFindings,
  readCopyRecords,
} from '@passport/queue/copies';
import {
  type SweepState,
  forgetMissing,
  noteMissing,
  openUnanswered,
  readSweep,
  writeSweep,
} from '@passport/queue/sweeps';
import { type Encryption, type Redis, createEncryption } from '@passport/runtime';
import { buildConsortiumFile, consortiumSecrets } from '@passport/testkit';
import { type Libraries, buildLibraries } from '../src/koha/libraries.ts';
import { hashedFields } from '@passport/patron-rules';
import { SWEEP_LIMITS, newSweep } from '../src/sweep/sweep-state.ts';
import { type SweepCall, buildSweepCalls } from '../src/koha/sweep-calls.ts';
import { buildPassOn } from '../src/sweep/pass-on.ts';
import { recordsIn } from '../src/sweep/sweep-job.ts';
import { sweepLibrary } from '../src/sweep/sweep-library.ts';

const DAY_MS = 86_400_000;
const LENDER = 'riverside';

export interface SweepBench {
  readonly lender: KohaDouble;
  readonly homes: Readonly<Record<string, KohaDouble>>;
  readonly encryption: Encryption;
  readonly libraries: Libraries;
  readonly consortium: Consortium;
  readonly receipts: Receipts;
  /** What the sweeps have logged. */
  readonly lines: readonly unknown[];
  /** A patron at a home and the copy of them, which the service made, has on record, and remembers; returns the copy's card. */
  put(home: string, index: number, how?: PutHow): string;
  /** Writes the receipts of the copies that were put. */
  recordCopies(): Promise<void>;
  /** Sweeps once; `dies`: at that save, as a process that is killed. */
  sweep(how?: SweepHow): Promise<SweepState>;
  /** The operations that a Koha received, token and description aside. */
  calls(koha: KohaDouble): string[];
  stop(): Promise<void>;
}

export interface PutHow {
  /** Whether the lending Koha's plugin remembers what was written, and what beside the fields. */
  readonly remembered?: boolean | Readonly<Record<string, string>>;
  /** Changes to the receipt; null: there is none. */
  readonly receipt?: Partial<DisclosureReceipt> | null;
  /** Names of the fields that the copy holds. */
  readonly fields?: readonly string[];
}

export interface SweepHow {
  readonly mode?: 'full' | 'changed';
  readonly dryRun?: boolean;
  readonly atMs?: number;
  readonly dies?: number;
  readonly encryption?: Encryption;
  readonly beforeWrite?: () => void;
  /** Ends the slice where it throws. */
  readonly endSlice?: () => void;
  readonly limits?: Partial<typeof SWEEP_LIMITS>;
  /** Another Koha than the double. */
  readonly call?: SweepCall;
  readonly saved?: (state: SweepState) => void;
  /** Another configuration than the one that the bench was opened with, and whose copies are swept by it. */
  readonly consortium?: Consortium;
  /** Other homes to look at than all. */
  readonly homeIds?: readonly string[];
}

export const cardOf = (home: string, index: number): string => `${home}-${String(index).padStart(5, '0')}`;

/** One lending library and some homes, each a Koha, with sweeps that never pause. */
export async function openSweep(
  homeIds: readonly string[],
  redis: Redis,
  entry: object = { refresh: { sweep: '02:00' } },
  cards: Readonly<Record<string, readonly (string | object)[]>> = {},
): Promise<SweepBench> {
  const doubles = await Promise.all(
    [LENDER, ...homeIds].map((library) => startKohaDouble({ library, seed: 'empty' })),
  );
  const [lender] = doubles;
  if (lender === undefined) throw new Error('no lender');
  const homes = Object.fromEntries(doubles.slice(1).map((koha) => [koha.library, koha]));
  const served = doubles.map((koha) => ({
    id: koha.library,
    kohaUrl: koha.url,
    webhookSecret: formatWebhookSecret(Buffer.alloc(32, `what ${koha.library} signs with`)),
    clientId: koha.credentials.clientId,
    clientSecret: koha.credentials.clientSecret,
    entry: {
      koha: { timeout: '1s' },
      limits: { refreshes_per_hour: 1_000_000 },
      ...entry,
      ...(cards[koha.library] === undefined ? {} : { cards: cards[koha.library] }),
    },
  }));
  const consortium = parsed(served);
  const clients = consortium.libraries.map(({ id, koha }) =>
    createKohaClient({
      library: id,
      url: koha.url,
      clientId: koha.clientId.reveal(),
      clientSecret: koha.clientSecret.reveal(),
      timeoutMs: koha.timeoutMs,
      maxInFlight: 4,
      now: Date.now,
    }),
  );
  const watch = {
    circuitChanged: () => undefined,
    answered: () => undefined,
    failed: () => undefined,
    reported: () => undefined,
  };
  // A pause moves the clock: nobody waits for it, and a circuit that is open for so long is due.
  let pausedMs = 0;
  const clock = { monotonicNow: () => performance.now() + pausedMs, random: Math.random };
  const libraries = buildLibraries(new Map(clients.map((client) => [client.library, client])), clock, watch);
  const encryption = createEncryption([Buffer.alloc(32, 7)]);
  const pause = (ms: number): Promise<void> => {
    pausedMs += ms;
    return Promise.resolve();
  };
  const signal = new AbortController().signal;
  const call = buildSweepCalls({
    libraries,
    isBusy: () => Promise.resolve(false),
    pause,
    monotonicNow: clock.monotonicNow,
    signal,
  });
  const { patronProperties } = await libraries.capabilities(LENDER);

  const receipts = openReceipts(redis);
  const made: DisclosureReceipt[] = [];
  const lines: unknown[] = [];
  const recordCopies = async (): Promise<void> => {
    await Promise.all(made.map((receipt) => receipts.append(receipt, Date.now(), 400 * DAY_MS)));
  };

  const begin = (
    before: SweepState | null,
    { mode = 'full', dryRun = false, atMs, homeIds: swept = homeIds }: SweepHow,
  ): SweepState => {
    const of = {
      id: `sweep-${atMs ?? 0}`,
      job: `sweep.${atMs ?? 0}`,
      library: LENDER,
      mode,
      dry_run: dryRun,
    };
    return newSweep(of, before, { homes: swept, nowMs: atMs ?? Date.now() });
  };

  return {
    lender,
    homes,
    lines,
    encryption,
    libraries,
    consortium,
    receipts,
    recordCopies,
    put(home, index, { remembered = true, receipt = {}, fields } = {}) {
      const card = cardOf(home, index);
      const values = {
        surname: `Name ${index}`,
        email: `p${index}@${home}.example`,
        city: home,
        expiry_date: '2030-01-01',
      };
      const record = homes[home]?.putPatron(card, { ...values, category_id: 'AD', library_id: 'MAIN' });
      const homeKey = `${home}:${record?.patron_id ?? 0}`;
      const held = Object.fromEntries(
        Object.entries(values).filter(([name]) => fields === undefined || fields.includes(name)),
      );
      const copy = lender.putPatron(card, {
        ...held,
        category_id: 'PT',
        library_id: 'MAIN',
        extended_attributes: [
          { type: 'PASSPORTED', value: home },
          { type: 'PASSPORTED_ID', value: homeKey },
        ],
      });
      if (remembered !== false)
        remember(
          lender,
          { patronId: copy.patron_id, homeKey },
          {
            ...held,
            cardnumber: card,
            patron_card_lost: '',
            ...(remembered === true ? {} : remembered),
          },
        );
      if (receipt !== null) {
        const named = Object.keys(held).filter((name) => name !== 'expiry_date');
        const of = { home, lending: LENDER, homeKey, fields: named, patronId: copy.patron_id };
        made.push({ at: '2026-11-20T10:00:00.000Z', eventId: `scan_${copy.patron_id}`, ...of, ...receipt });
      }
      return card;
    },
    async sweep(how = {}) {
      const dryRun = how.dryRun ?? false;
      await recordCopies();
      const before = await readSweep(redis, LENDER, dryRun);
      const state = before !== null && before.ended_ms === null ? before : begin(before, how);
      let saves = 0;
      let isDead = false;
      const dies = (): never => {
        isDead = true;
        throw new Error('killed');
      };
      const unanswered = openUnanswered(redis, LENDER, dryRun);
      await sweepLibrary(state, {
        consortium: how.consortium ?? consortium,
        call: async (library, work, once) => {
          const result = await (how.call ?? call)(library, work, once);
          try {
            how.beforeWrite?.();
          } catch (error) {
            if (error instanceof Error && error.message === 'killed') dies();
            throw error;
          }
          return result;
        },
        passOn: buildPassOn({ consortium, redis, receipts, now: Date.now }, signal),
        readRecords: (lending, patronIds) => readCopyRecords(redis, lending, patronIds),
        records: recordsIn(redis),
        log: { info: (line: unknown) => void lines.push(line) },
        encryption: how.encryption ?? encryption,
        accepts: (property) => patronProperties.has(property),
        async save(next) {
          if (isDead) dies();
          await writeSweep(redis, next);
          how.saved?.(next);
          saves += 1;
          if (saves === how.dies) dies();
        },
        unanswered: {
          ...unanswered,
          note: async (home) =>
            noteMissing(redis, { library: LENDER, home }, await unanswered.read(), how.atMs ?? Date.now()),
          forget: async (gone) => (dryRun ? undefined : forgetMissing(redis, LENDER, gone)),
        },
        findings: {
          note: async (copies) =>
            dryRun ? undefined : noteFindings(redis, LENDER, copies, how.atMs ?? Date.now()),
          prune: async (isOf) =>
            dryRun ? undefined : pruneFindings(redis, LENDER, { isOf, beforeMs: state.started_ms }),
        },
        slice: { endIfOver: () => how.endSlice?.() },
        limits: { ...SWEEP_LIMITS, ...how.limits },
        now: () => how.atMs ?? Date.now(),
      });
      const ended = await readSweep(redis, LENDER, dryRun);
      if (ended === null) throw new Error('no report');
      return ended;
    },
    calls: (koha) =>
      koha
        .calls()
        .map(({ operation }) => operation ?? '')
        .filter((operation) => !['GET /', 'POST /oauth/token'].includes(operation)),
    async stop() {
      for (const client of clients) client.close();
      await Promise.all(doubles.map((double) => double.close()));
    },
  };

  /** As the worker stores it after a copy, by the double's own route. */
  function remember(
    koha: KohaDouble,
    { patronId, homeKey }: { readonly patronId: number; readonly homeKey: string },
    values: Readonly<Record<string, string>>,
  ): void {
    const fields = hashedFields({ lending: LENDER, patronId, homeKey }, values, {
      encryption,
      at: 1,
      event: 'scan_1',
    });
    koha.putCopy({ patron_id: patronId, version: 0, home_key: homeKey, fields });
  }
}

function parsed(served: Parameters<typeof buildConsortiumFile>[0]) {
  return parseConsortium(buildConsortiumFile(served), consortiumSecrets(served), () => {
    throw new Error('no file is read');
  });
}

export { DAY_MS, LENDER };
