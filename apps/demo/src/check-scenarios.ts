import type { KohaDouble } from '@passport/koha-double';
import { buildScanEvent, signedRequest, type ReceiverClient, type ScanAnswer } from '@passport/testkit';
import type { DemoFileLibrary } from './demo-file.ts';

interface Place {
  readonly library: DemoFileLibrary;
  readonly koha: KohaDouble;
  readonly client: ReceiverClient;
}
type LibraryName = 'midland' | 'riverside' | 'lakeside';

/** The demo's libraries, as a scenario uses them, and a clock in milliseconds. */
export type Scene = Readonly<Record<LibraryName, Place>> & { readonly now: () => number };

export interface Seen {
  readonly outcome: string | null;
  readonly checkout: string | null;
  /** From the scan to its outcome. */
  readonly ms: number;
  readonly problems: readonly string[];
}

interface Scenario {
  readonly name: string;
  readonly expected: {
    readonly outcome: string;
    readonly checkout: string | null;
    /** The fewest calls that can do it. */
    readonly mostCalls: number;
  };
  readonly run: (scene: Scene) => Promise<Seen>;
}

/**
 * What `npm run demo -- --check` scans, in this order; each uses cards and items of its own. Where a copy is made, the
 * card is midland's and the desk lakeside's: both other libraries have patterns, so that no query is in vain.
 */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'copied and checked out',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { card, item } = sample(scene, 0);
      const seen = await scan(scene, 'lakeside', { cardnumber: card, item_barcode: item });
      return withProblems(seen, copyProblems(scene, card, [item]));
    },
  },
  {
    name: 'copied without item',
    expected: { outcome: 'COPIED', checkout: 'NOT_ASKED', mostCalls: 2 },
    run: async (scene) => {
      const { card } = sample(scene, 1);
      const seen = await scan(scene, 'lakeside', { cardnumber: card, item_barcode: null });
      return withProblems(seen, copyProblems(scene, card, []));
    },
  },
  {
    name: 'already local',
    expected: { outcome: 'ALREADY_LOCAL', checkout: 'NOT_ASKED', mostCalls: 3 },
    run: (scene) => scan(scene, 'lakeside', { cardnumber: sample(scene, 1).card, item_barcode: null }),
  },
  {
    name: 'not found',
    // Midland is queried by its pattern.
    expected: { outcome: 'NOT_FOUND', checkout: 'NOT_ASKED', mostCalls: 1 },
    run: (scene) => scan(scene, 'riverside', { cardnumber: '21234999999999', item_barcode: null }),
  },
  {
    name: 'not a card',
    expected: { outcome: 'NOT_A_CARD', checkout: 'NOT_ASKED', mostCalls: 0 },
    run: (scene) => scan(scene, 'lakeside', { cardnumber: 'Patronsson', item_barcode: null }),
  },
  {
    name: 'duplicate delivery',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { client, library } = scene.lakeside;
      const { card, item } = sample(scene, 2);
      const body = buildScanEvent({ cardnumber: card, item_barcode: item });
      const request = signedRequest({ secret: library.webhook_secret, body });
      const seen = await follow(scene, 'lakeside', async () => [
        await client.deliver(request),
        await client.deliver(request),
      ]);
      const problems =
        seen.answers[1]?.body['duplicate'] === true ? [] : ['the second is not called a duplicate'];
      return withProblems(seen, [...problems, ...copyProblems(scene, card, [item])]);
    },
  },
  {
    name: 'double scan',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { card, item } = sample(scene, 3);
      const data = { cardnumber: card, item_barcode: item };
      const seen = await follow(scene, 'lakeside', () =>
        Promise.all([scene.lakeside.client.scan(data), scene.lakeside.client.scan(data)]),
      );
      const isCoalesced = seen.answers.some(({ body }) => body['joined'] === true);
      const isOneEvent = new Set(seen.answers.map(({ eventId }) => eventId)).size === 1;
      const problems = isCoalesced && isOneEvent ? [] : ['the two scans did not become one event'];
      return withProblems(seen, [...problems, ...copyProblems(scene, card, [item])]);
    },
  },
];

type Followed = Seen & { readonly answers: readonly ScanAnswer[] };

const scan = (scene: Scene, at: LibraryName, data: Readonly<Record<string, unknown>>): Promise<Followed> =>
  follow(scene, at, async () => [await scene[at].client.scan(data)]);

/** Sends what `send` sends and follows the first event to its end. */
async function follow(
  scene: Scene,
  at: LibraryName,
  send: () => Promise<readonly ScanAnswer[]>,
): Promise<Followed> {
  const startedAt = scene.now();
  const answers = await send();
  const state = await scene[at].client.follow(answers[0]?.eventId ?? '', { timeoutMs: 10_000, everyMs: 5 });
  return {
    outcome: state.outcome,
    checkout: state.checkout?.result ?? null,
    ms: Math.round(scene.now() - startedAt),
    problems: answers.filter(({ status }) => status !== 202).map(({ status }) => `answered ${status}`),
    answers,
  };
}

/** A card of midland and an item of lakeside that no other scenario uses. */
function sample({ midland, lakeside }: Scene, place: number): { card: string; item: string } {
  const card = midland.library.sample_cards.eligible[place];
  const item = lakeside.library.sample_items[place];
  if (card === undefined || item === undefined) throw new Error('the demo has too few sample cards or items');
  return { card, item };
}

function copyProblems({ lakeside }: Scene, card: string, expected: readonly string[]): readonly string[] {
  const { patrons, checkouts } = lakeside.koha.state(card);
  const types = patrons[0]?.extended_attributes.map(({ type }) => type) ?? [];
  const isMarked = types.includes('PASSPORTED') && types.includes('PASSPORTED_ID');
  const barcodes = checkouts.map(({ external_id }) => external_id);
  return [
    ...(patrons.length === 1 ? [] : ['the lending library has no copy']),
    ...(isMarked && patrons[0]?.category_id === 'PT' ? [] : ['the copy is not marked as one']),
    ...(barcodes.join() === expected.join()
      ? []
      : [`${barcodes.length} checkouts instead of ${expected.length}`]),
  ];
}

const withProblems = (seen: Followed, problems: readonly string[]): Seen => ({
  outcome: seen.outcome,
  checkout: seen.checkout,
  ms: seen.ms,
  problems: [...seen.problems, ...problems],
});
