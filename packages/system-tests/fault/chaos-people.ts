import { setTimeout as pause } from 'node:timers/promises';
import { type SeededRandom, signedRequest } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import type { Consortium } from '../harness/start-consortium.ts';
import { type ChaosLibrary, LIBRARIES, PREFIXES } from './chaos-libraries.ts';

/** A patron at their home library, and what happened to them there. */
export interface ChaosPerson {
  readonly home: ChaosLibrary;
  readonly homeKey: string;
  readonly surname: string;
  /** All cards that they have had, the present one last. */
  readonly cards: string[];
  /** Whether anything has happened for which they may be refused. */
  mayBeRefused: boolean;
}

/** Registers somebody at home. */
export function registerPerson(
  { doubles }: Pick<Consortium<ChaosLibrary>, 'doubles'>,
  home: ChaosLibrary,
  columns: Readonly<Record<string, unknown>> = {},
): ChaosPerson {
  const card = registerPatron(doubles[home], { prefix: PREFIXES[home], columns });
  return personOf(home, card, doubles[home].state(card).patrons[0]);
}

/** Somebody who is at home there already. */
export function personOf(
  home: ChaosLibrary,
  card: string,
  row: { readonly patron_id: number; readonly surname?: unknown } | undefined,
): ChaosPerson {
  const { patron_id: number = 0, surname = '' } = row ?? {};
  const homeKey = `${home}:${number}`;
  return { home, homeKey, surname: String(surname), cards: [card], mayBeRefused: false };
}

/** An edit by the staff of a lending library, which the service must leave as it is. */
export interface LocalEdit {
  readonly lender: ChaosLibrary;
  readonly patronId: number;
  readonly field: string;
  readonly atMs: number;
}

/** What was changed at the Kohas, and by whom. */
export interface Changes {
  readonly edits: LocalEdit[];
  readonly counts: Record<string, number>;
}

interface World {
  readonly consortium: Consortium<ChaosLibrary>;
  readonly random: SeededRandom;
  readonly people: readonly ChaosPerson[];
  readonly changes: Changes;
}

type Change = (world: World) => void | Promise<void>;

/** What the agreements let a patron owe. */
export const MOST_OWED = 20;

let made = 0;
const fresh = (): string => String((made += 1));

function atHome(
  columns: (random: SeededRandom) => Readonly<Record<string, unknown>>,
  refuses = false,
): Change {
  return ({ consortium, random, people }) => {
    const person = pickPerson(people, random);
    if (person === null) return;
    if (refuses) person.mayBeRefused = true;
    consortium.doubles[person.home].putPatron(person.cards.at(-1) ?? '', columns(random));
  };
}

const pickPerson = (people: readonly ChaosPerson[], random: SeededRandom): ChaosPerson | null =>
  people.length === 0 ? null : random.pick(people.slice(-300));

/** A copy at a lending library, by any card that its patron has had; null where there is none. */
function pickCopy({ consortium: { doubles }, random, people }: World) {
  const person = pickPerson(people, random);
  if (person === null) return null;
  const lender = random.pick(LIBRARIES.filter((id) => id !== person.home));
  const found = person.cards
    .map((card) => ({ card, row: doubles[lender].state(card).patrons[0] }))
    .find(({ row }) => row?.extended_attributes.some(({ value }) => value === person.homeKey));
  if (found?.row === undefined) return null;
  return { person, lender, card: found.card, patronId: found.row.patron_id };
}

async function seen({ consortium, random }: World, lender: ChaosLibrary, patronId: number): Promise<void> {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: 'patron.seen', timestamp, data: { patron_id: patronId } });
  const request = signedRequest({ secret: consortium.secrets[lender], id: `seen_${fresh()}`, body });
  const { url } = random.pick(consortium.services.receivers);
  // A receiver that was killed loses it: the plugin does not repeat these, and the sweep follows.
  const signal = AbortSignal.timeout(5_000);
  await fetch(`${url}/webhooks/${lender}`, { ...request, signal }).catch(() => undefined);
}

/** Twenty hours and more between two readings pass in a moment; what Redis says at the same time stays. */
const AGE_LUA = `
for _, home in ipairs(redis.call('HKEYS', KEYS[1])) do
  local text = redis.call('HGET', KEYS[1], home)
  local aged = string.gsub(text, '"over_since_ms":(%d+)', function(ms)
    return string.format('"over_since_ms":%.0f', tonumber(ms) - 21 * 3600000)
  end)
  redis.call('HSET', KEYS[1], home, aged)
end`;

const CHANGES: Readonly<Record<string, { readonly weight: number; readonly make: Change }>> = {
  'e-mail at home': { weight: 6, make: atHome(() => ({ email: `changed.${fresh()}@post.example` })) },
  'address at home': {
    weight: 4,
    make: atHome(() => ({ address: `${fresh()} Mill Lane`, city: 'Elsewhere' })),
  },
  'phone at home': {
    weight: 2,
    make: atHome(({ int }) => ({ phone: int(2) === 0 ? '' : `0163 ${fresh()}` })),
  },
  'new phone number at home': { weight: 2, make: atHome(() => ({ mobile: `0777 ${fresh()}` })) },
  'expiry at home': {
    weight: 2,
    make: atHome((random) => ({ expiry_date: `20${38 + random.int(9)}-06-30` })),
  },
  'restriction at home': {
    weight: 3,
    make: atHome((random) => ({ restricted: random.int(2) === 0 }), true),
  },
  'lost card at home': {
    weight: 2,
    make: atHome((random) => ({ patron_card_lost: random.int(2) === 0 }), true),
  },
  'new card at home': {
    weight: 2,
    make({ consortium, random, people }) {
      const person = pickPerson(people, random);
      if (person === null) return;
      const next = `${PREFIXES[person.home]}${String(700_000_000 + Number(fresh()))}`;
      consortium.doubles[person.home].putPatron(person.cards.at(-1) ?? '', { cardnumber: next });
      person.cards.push(next);
    },
  },
  'local edit': {
    weight: 3,
    make(world) {
      const copy = pickCopy(world);
      if (copy === null) return;
      const { lender, card, patronId } = copy;
      const field = world.random.pick(['email', 'address', 'phone']);
      world.consortium.doubles[lender].putPatron(card, { [field]: `edited here ${fresh()}` });
      world.changes.edits.push({ lender, patronId, field, atMs: Date.now() });
    },
  },
  'copy scanned': {
    weight: 8,
    async make(world) {
      const copy = pickCopy(world);
      if (copy !== null) await seen(world, copy.lender, copy.patronId);
    },
  },
  'made-up number scanned': {
    weight: 2,
    make: (world) => seen(world, world.random.pick(LIBRARIES), 1 + world.random.int(2_000)),
  },
  debt: {
    weight: 3,
    make(world) {
      const copy = pickCopy(world);
      if (copy === null) return;
      copy.person.mayBeRefused = true;
      const balance = world.random.int(3) === 0 ? 0 : MOST_OWED + world.random.int(30) - 10;
      world.consortium.doubles[copy.lender].putPatron(copy.card, { account_balance: balance });
    },
  },
  'a day of debts': {
    weight: 1,
    async make({ consortium: { redis }, random }) {
      const key = `{passport}:owed:${random.pick(LIBRARIES)}`;
      await redis.call('EVAL', AGE_LUA, '1', key).catch(() => undefined); // Redis is away: another time
    },
  },
};

/** Changes records at home and copies at lending libraries until `endsAtMs`, and counts what it changed. */
export async function changeThings(world: World, endsAtMs: number): Promise<void> {
  const weighted = Object.entries(CHANGES).flatMap(([name, { weight, make }]) =>
    Array.from({ length: weight }, () => ({ name, make })),
  );
  const { random, changes } = world;
  while (performance.now() < endsAtMs) {
    const { name, make } = random.pick(weighted);
    await make(world);
    changes.counts[name] = (changes.counts[name] ?? 0) + 1;
    await pause(random.int(400));
  }
}

/** The commands of an operator: a sweep, or a reading of what is owed. Each is given up after so long; the job goes on. */
const COMMAND_MS = 8_000;

/** Has workers sweep and read what is owed at one library after the other, again and again. */
export async function sweepAndRead(
  { consortium, random }: Pick<World, 'consortium' | 'random'>,
  endsAtMs: number,
  counts: Record<string, number>,
): Promise<void> {
  const { env } = consortium.services;
  while (performance.now() < endsAtMs) {
    const library = random.pick(LIBRARIES);
    const isSweep = random.next() < 0.6;
    const args = isSweep
      ? ['copies', 'refresh', '--at', library, ...(random.int(2) === 0 ? ['--full'] : [])]
      : ['owed', '--of', random.pick(LIBRARIES.filter((id) => id !== library)), '--at', library, '--read'];
    const { code } = await runPassport(args, { env, mostMs: COMMAND_MS });
    const name = `${isSweep ? 'sweep' : 'reading'}: ${code === null ? 'not waited for' : `exit ${code}`}`;
    counts[name] = (counts[name] ?? 0) + 1;
    await pause(random.int(2_000));
  }
}
