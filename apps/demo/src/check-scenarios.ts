import type { EventState } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import type { ReceiverClient, ScanAnswer } from '@passport/testkit';
import type { DemoFileLibrary } from './demo-file.ts';

interface Place {
  readonly library: DemoFileLibrary;
  readonly koha: KohaDouble;
  readonly client: ReceiverClient;
}
/** The demo's libraries, as a scenario uses them. */
export interface Scene {
  readonly midland: Place;
  readonly riverside: Place;
  readonly lakeside: Place;
}

export interface Seen {
  readonly outcome: string | null;
  readonly checkout: string | null;
  readonly problems: readonly string[];
}

interface Scenario {
  readonly name: string;
  readonly expected: {
    readonly outcome: string;
    readonly checkout: string | null;
    /** The fewest calls that can do it (speed.md, S9). */
    readonly mostCalls: number;
  };
  run(scene: Scene): Promise<Seen>;
}

const FOLLOW = { timeoutMs: 10_000 };

/** What `npm run demo -- --check` scans, in this order; each uses cards and items of its own. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'copied and lent',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { card, item } = sample(scene, 0);
      const seen = await scan(scene.riverside, { cardnumber: card, item_barcode: item });
      return {
        ...seen,
        problems: [...seen.problems, ...copyProblems(scene, card), ...loanProblems(scene, item, 1)],
      };
    },
  },
  {
    name: 'copied without item',
    expected: { outcome: 'COPIED', checkout: 'NOT_ASKED', mostCalls: 2 },
    run: async (scene) => {
      const { card } = sample(scene, 1);
      const seen = await scan(scene.riverside, { cardnumber: card, item_barcode: null });
      return { ...seen, problems: [...seen.problems, ...copyProblems(scene, card)] };
    },
  },
  {
    name: 'already local',
    expected: { outcome: 'ALREADY_LOCAL', checkout: 'NOT_ASKED', mostCalls: 4 },
    run: (scene) => scan(scene.riverside, { cardnumber: sample(scene, 1).card, item_barcode: null }),
  },
  {
    name: 'not found',
    // Midland by its pattern, and lakeside, which has none.
    expected: { outcome: 'NOT_FOUND', checkout: 'NOT_ASKED', mostCalls: 2 },
    run: (scene) => scan(scene.riverside, { cardnumber: '21234999999999', item_barcode: null }),
  },
  {
    name: 'not a card',
    expected: { outcome: 'NOT_A_CARD', checkout: 'NOT_ASKED', mostCalls: 0 },
    run: (scene) => scan(scene.lakeside, { cardnumber: 'Patronsson', item_barcode: null }),
  },
  {
    name: 'duplicate delivery',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { riverside } = scene;
      const { card, item } = sample(scene, 2);
      const request = signedRequest({
        secret: riverside.library.webhook_secret,
        body: buildScanEvent({ cardnumber: card, item_barcode: item }),
      });
      const first = await riverside.client.deliver(request);
      const second = await riverside.client.deliver(request);
      const seen = seenOf(await riverside.client.follow(first.eventId, FOLLOW), [first, second]);
      const told = second.body['duplicate'] === true ? [] : ['the second answer does not say duplicate'];
      return { ...seen, problems: [...seen.problems, ...told, ...loanProblems(scene, item, 1)] };
    },
  },
  {
    name: 'double scan',
    expected: { outcome: 'COPIED', checkout: 'CHECKED_OUT', mostCalls: 3 },
    run: async (scene) => {
      const { riverside } = scene;
      const { card, item } = sample(scene, 3);
      const answers = await Promise.all(
        [1, 2].map(() => riverside.client.scan({ cardnumber: card, item_barcode: item })),
      );
      const [first, second] = answers;
      const isJoined =
        first?.eventId === second?.eventId && answers.some(({ body }) => body['joined'] === true);
      const seen = seenOf(await riverside.client.follow(first?.eventId ?? '', FOLLOW), answers);
      const told = isJoined ? [] : ['the two scans did not become one event'];
      return { ...seen, problems: [...seen.problems, ...told, ...loanProblems(scene, item, 1)] };
    },
  },
];

async function scan({ client }: Place, data: Readonly<Record<string, unknown>>): Promise<Seen> {
  const answer = await client.scan(data);
  return seenOf(await client.follow(answer.eventId, FOLLOW), [answer]);
}

function seenOf(state: EventState, answers: readonly ScanAnswer[]): Seen {
  const refused = answers.filter(({ status }) => status !== 202);
  return {
    outcome: state.outcome,
    checkout: state.checkout?.result ?? null,
    problems: refused.map(({ status }) => `the receiver answered ${status}`),
  };
}

/** A card of midland and an item of riverside that no other scenario uses. */
function sample({ midland, riverside }: Scene, place: number): { card: string; item: string } {
  const card = midland.library.sample_cards.eligible[place];
  const item = riverside.library.sample_items[place];
  if (card === undefined || item === undefined) throw new Error('the demo has too few sample cards or items');
  return { card, item };
}

function copyProblems({ riverside }: Scene, card: string): readonly string[] {
  const [copy] = riverside.koha.state(card).patrons;
  if (copy === undefined) return ['riverside has no copy'];
  const types = copy.extended_attributes.map(({ type }) => type);
  const isMarked = ['PASSPORTED', 'PASSPORTED_ID'].every((type) => types.includes(type));
  return isMarked && copy.category_id === 'PT' ? [] : ['the copy is not marked as one'];
}

function loanProblems({ riverside }: Scene, item: string, wanted: number): readonly string[] {
  const loans = riverside.koha.state().checkouts.filter(({ external_id }) => external_id === item);
  return loans.length === wanted ? [] : [`the item is lent ${loans.length} times`];
}
