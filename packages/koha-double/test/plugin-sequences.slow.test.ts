import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { Random } from '../src/seed/random.ts';
import { type Case, prepare, send, type Step } from './support/plugin-case.ts';
import { withReceiver } from './support/with-receiver.ts';

/** Each night more (`NIGHTLY`), from a seed of its own: the name of a test says which. */
const FIRST = process.env['NIGHTLY'] ? Math.floor(Date.now() / 86_400_000) * 1_000 : 1;
const SEEDS = Array.from({ length: process.env['NIGHTLY'] ? 60 : 4 }, (_, n) => FIRST + n);
const STEPS = 60;
const PROGRAM = fileURLToPath(new URL('../../../apps/koha-plugin/t/bin/answer-requests.pl', import.meta.url));
const isPerlHere =
  spawnSync('perl', ['-MMojolicious::Plugin::OpenAPI', '-MDBD::SQLite', '-e1'], { stdio: 'ignore' })
    .status === 0;

/** Copies of two homes, one with debts; a record that only looks like a copy; an own patron; a copy that lost its key. */
const PATRONS = [
  { cardnumber: '21234000000017', home_key: 'midland:8', is_copy: true },
  { cardnumber: '21234000000024', home_key: 'lakeside:3', is_copy: true, owes: 2.5 },
  { cardnumber: '21234000000031', home_key: 'midland:9' },
  { cardnumber: '21234000000048', owes: 1 },
  { cardnumber: '21234000000055', is_copy: true },
] as const;

type Make = (random: Random) => Pick<Step, 'request' | 'body'>;

const idOf = (random: Random): number => random.pick([2, 3, 4, 5, 6, 6, 999, 0]);
const homeOf = (random: Random): string => random.pick(['midland', 'lakeside']);
const keyOf = (random: Random): string => random.pick(['midland:8', 'lakeside:3', 'midland:9']);
const kindOf = (random: Random): string => random.pick(['home', 'home', 'standing', 'owed', 'MANUAL']);
const eventOf = (random: Random): string => random.pick(['scan_1', 'scan_2', 'a%20b']);
const standing = { is_good: false, reasons: ['EXPIRED'], home_name: 'Midland' };
const written = {
  hash: 'Ab3_-9:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh',
  at: 1_700_000_000,
  event: 'scan_1',
};

const MAKES: readonly Make[] = [
  (random) => ({
    request: random.pick([
      'GET /copies',
      'GET /copies?limit=2',
      `GET /copies?after=${idOf(random)}`,
      `GET /copies?after=2&up_to=${idOf(random)}`,
    ]),
  }),
  (random) => ({
    request: `PUT /copies/${idOf(random)}`,
    body: {
      version: random.between(0, 3),
      home_key: keyOf(random),
      fields: random.pick([{}, { email: written }, { email: written, surname: written }, { email: 1 }]),
      ...random.pick([{}, { standing }, { standing }, { standing: null }, { standing: {} }]),
    },
  }),
  (random) => ({
    request: 'PUT /copies',
    body: { checked: random.pick([[2], [3, 999], [idOf(random), idOf(random)], [], '2']) },
  }),
  (random) => ({ request: `GET /copies/${idOf(random)}/standing` }),
  (random) => ({ request: `GET /restrictions/${kindOf(random)}` }),
  (random) => ({
    request: `PUT /restrictions/${kindOf(random)}/${homeOf(random)}/${idOf(random)}`,
    body: {
      until: random.pick([null, '2999-01-02', '2001-01-01', 'soon']),
      ...random.pick([{}, {}, { codes: ['EXPIRED', 'DEBT'] }, { codes: ['a'] }]),
      ...random.pick([{}, {}, { comment: 'Books are overdue' }]),
    },
  }),
  (random) => ({ request: `DELETE /restrictions/${kindOf(random)}/${homeOf(random)}/${idOf(random)}` }),
  (random) => ({
    request: `GET /patrons/${idOf(random)}/restrictions${random.pick(['', '?comments=true', '?comments=x'])}`,
  }),
  (random) => ({ request: `GET /deletions?patron_ids=${idOf(random)},${idOf(random)}` }),
  (random) => ({
    request: 'POST /deletions',
    body: { patron_id: idOf(random), home_key: keyOf(random), home_key_type: 'PASSPORTED_ID' },
  }),
  (random) => ({
    request: `GET /owed?home_key_type=${random.pick(['PASSPORTED_ID', 'OTHER'])}${random.pick(['', '&limit=2', '&after=3'])}`,
  }),
  (random) => {
    const id = eventOf(random);
    return {
      request: `PUT /scans/${id}/outcome`,
      body: {
        event_id: random.pick([id, id, id, 'scan_2']),
        seq: random.between(0, 5),
        state: random.pick(['queued', 'working', 'waiting', 'done', 'failed', 'none']),
        message: `number ${random.between(0, 8)}`,
        ...random.pick([{}, { more: 1 }, { patron_id: 2 }, { homes: [{ id: 'midi', name: 'Midi' }] }]),
      },
    };
  },
  (random) => ({ request: `GET /scans/${eventOf(random)}` }),
];

const caseOf = (seed: number): Case => {
  const random = new Random(`seed ${seed}`);
  const step = (): Step => ({ ...random.pick(MAKES)(random), status: 0 });
  return { name: `seed ${seed}`, patrons: PATRONS, steps: Array.from({ length: STEPS }, step) };
};

/** What differs between two clocks and two databases, and the words of two validators. */
const OWN = new Set(['id', 'checked_s', 'is_checking', 'last_used', 'knows_use', 'updated_at', 'errors']);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const kept = Object.entries(value).filter(([name]) => !OWN.has(name));
  return Object.fromEntries(kept.map(([name, each]) => [name, comparable(each)]));
}

interface Said {
  readonly status: number | string;
  readonly body?: unknown;
}

const line = ({ request, body }: Step, { status, body: said }: Said) => ({
  asked: `${request} ${JSON.stringify(body ?? null)}`,
  status: Number(status),
  said: comparable(said),
});

(isPerlHere ? test : test.skip)(
  `the stand-in answers ${SEEDS.length} random sequences as the plugin does (first seed ${FIRST})`,
  async () => {
    const cases = SEEDS.map(caseOf);
    const run = spawnSync('perl', [PROGRAM], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(run.stderr).toBe('');
    const plugin = JSON.parse(run.stdout) as readonly (readonly Said[])[];
    for (const [n, each] of cases.entries()) {
      const answers: Said[] = [];
      await withReceiver(undefined, async (koha) => {
        prepare(koha, each);
        for (const step of each.steps) answers.push(await send(koha, step, () => ''));
      });
      const [ours, theirs] = [answers, plugin[n] ?? []].map((said) =>
        each.steps.map((step, at) => line(step, said[at] ?? { status: 0 })),
      );
      // Up to the first that differs: what follows may differ for its sake.
      const differs = ours?.findIndex((one, at) => !isDeepStrictEqual(one, theirs?.[at]));
      const upTo = differs === undefined || differs < 0 ? STEPS : differs + 1;
      expect({ [each.name]: ours?.slice(Math.max(0, upTo - 4), upTo) }).toEqual({
        [each.name]: theirs?.slice(Math.max(0, upTo - 4), upTo),
      });
    }
  },
  300_000,
);
