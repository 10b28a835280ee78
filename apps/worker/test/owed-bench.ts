import { type Consortium, type Library, parseConsortium } from '@passport/config';
import { formatWebhookSecret } from '@passport/contract';
import { createKohaClient } from '@passport/koha-client';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { type DisclosureReceipt, openReceipts, readCopyRecords } from '@passport/queue/copies';
import { NOTHING_READ, type OwedReading } from '@passport/queue/sweeps';
import { hashedFields } from '@passport/patron-rules';
import { type Logger, type Redis, createEncryption } from '@passport/runtime';
import { buildConsortiumFile, consortiumSecrets } from '@passport/testkit';
import { runOwed } from '../src/owed/owed-job.ts';
import type { SweepCall } from '../src/koha/sweep-calls.ts';

export const LENDER = 'riverside';
export const HOMES = ['midland', 'lakeside'] as const;
/** The patron of most tests. */
export const CARD = '21234000000017';

type Recourse = 'report' | { readonly block_home_over: number };

export interface OwedBench {
  readonly lender: KohaDouble;
  readonly homes: Readonly<Record<string, KohaDouble>>;
  /** Written before the next reading. */
  readonly receipts: DisclosureReceipt[];
  readonly logged: Readonly<Record<string, unknown>>[];
  /** A patron at a home and the copy of them with a receipt; returns the home key. */
  put(card?: string, home?: string): string;
  /** A day later: one reading under these agreements, on top of the last one. */
  read(recourse?: Recourse, how?: ReadHow): Promise<OwedReading | undefined>;
  /** The home key's patrons that are restricted at this home. */
  restricted(home?: string): string[];
  stop(): Promise<void>;
}

export interface ReadHow {
  readonly hours?: number;
  readonly agreements?: readonly object[];
  readonly owed?: 'off';
  /** The library that is not enabled. */
  readonly shutOut?: string;
  /** How long each call takes. */
  readonly slowMs?: number;
}

/** One lending library and two homes, and readings of what is owed a day apart. */
export async function openOwed(redis: Redis): Promise<OwedBench> {
  const doubles = await Promise.all(
    [LENDER, ...HOMES].map((library) => startKohaDouble({ library, seed: 'empty' })),
  );
  const [lender] = doubles;
  if (lender === undefined) throw new Error('no lender');
  const homes = Object.fromEntries(doubles.slice(1).map((koha) => [koha.library, koha]));
  const clients = new Map(
    doubles.map((koha) => [
      koha.library,
      createKohaClient({
        library: koha.library,
        url: koha.url,
        ...koha.credentials,
        timeoutMs: 1_000,
        maxInFlight: 4,
        now: Date.now,
      }),
    ]),
  );
  const call: SweepCall = async (library, work) => {
    const client = clients.get(library);
    if (client === undefined) throw new Error(`no ${library}`);
    return work(client);
  };
  const logged: Record<string, unknown>[] = [];
  const note = (fields: Record<string, unknown>): unknown => logged.push(fields);
  const receipts: DisclosureReceipt[] = [];
  const encryption = createEncryption([Buffer.alloc(32, 7)]);
  let before: ReadonlyMap<string, OwedReading> = new Map();
  let nowMs = Date.parse('2026-11-26T03:00:00Z');

  const bench: OwedBench = {
    lender,
    homes,
    receipts,
    logged,
    put(card = CARD, home = HOMES[0]) {
      const names = { surname: 'Planted', firstname: 'Ann' };
      const record = homes[home]?.putPatron(card, { ...names, category_id: 'AD' });
      const homeKey = `${home}:${record?.patron_id ?? 0}`;
      const extended_attributes = [
        { type: 'PASSPORTED', value: home },
        { type: 'PASSPORTED_ID', value: homeKey },
      ];
      const { patron_id } = lender.putPatron(card, { ...names, extended_attributes });
      const by = { encryption, at: 1, event: 'scan_1' };
      const fields = hashedFields(
        { lending: LENDER, patronId: patron_id, homeKey },
        { cardnumber: card, ...names },
        by,
      );
      lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields });
      receipts.push(receiptOf(homeKey, patron_id));
      return homeKey;
    },
    async read(recourse = 'report', { hours = 24, agreements, owed, shutOut, slowMs = 0 } = {}) {
      nowMs += hours * 3_600_000;
      const { append } = openReceipts(redis);
      for (const receipt of receipts.splice(0)) await append(receipt, Date.now(), 1_000_000);
      const listed = agreements ?? HOMES.map((home) => ({ home, lending: LENDER, recourse }));
      const consortium = consortiumOf(doubles, listed, { owed, shutOut });
      const lending = consortium.libraries.find(({ id }) => id === LENDER) as Library;
      const log = { info: note, warn: note } as unknown as Logger;
      before = await runOwed(lending, {
        consortium,
        call: (library, work) => {
          nowMs += slowMs;
          return call(library, work);
        },
        callInSlice: call,
        slice: { endIfOver: () => undefined },
        progress: { addPage: () => Promise.resolve(), addHome: () => Promise.resolve() },
        soFar: NOTHING_READ,
        before,
        readRecords: (at, patronIds) => readCopyRecords(redis, at, patronIds),
        encryption,
        now: () => nowMs,
        log,
      });
      return before.get(HOMES[0]);
    },
    restricted: (home = HOMES[0]) =>
      (homes[home]?.state().patrons ?? [])
        .filter(({ restricted }) => restricted)
        .map(({ patron_id }) => `${home}:${patron_id}`),
    async stop() {
      for (const client of clients.values()) client.close();
      await Promise.all(doubles.map((double) => double.close()));
    },
  };
  return bench;
}

/** The receipt of a copy that the service made at the lending library. */
export function receiptOf(homeKey: string, patronId: number): DisclosureReceipt {
  const [home = ''] = homeKey.split(':');
  return {
    at: '',
    home,
    lending: LENDER,
    homeKey,
    fields: ['surname'],
    eventId: `scan_${patronId}`,
    patronId,
  };
}

function consortiumOf(
  doubles: readonly KohaDouble[],
  agreements: readonly object[],
  { owed, shutOut }: { readonly owed: 'off' | undefined; readonly shutOut: string | undefined },
): Consortium {
  const served = doubles.map((koha) => ({
    id: koha.library,
    kohaUrl: koha.url,
    webhookSecret: formatWebhookSecret(Buffer.alloc(32, `what ${koha.library} signs with`)),
    ...koha.credentials,
    entry: {
      enabled: koha.library !== shutOut,
      ...(koha.library === LENDER ? { owed: owed ?? { read: '03:00' } } : {}),
    },
  }));
  return parseConsortium(buildConsortiumFile(served, { agreements }), consortiumSecrets(served), () => {
    throw new Error('no file is read');
  });
}
