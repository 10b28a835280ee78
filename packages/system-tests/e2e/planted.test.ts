import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { markdownTables, waitFor } from '@passport/testkit';
import { dumpRedis } from '../harness/dump-redis.ts';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { threeLibraries } from '../harness/three-libraries.ts';

/** Distinguishable from everything that may be kept: each is one word, and none is part of another. */
const PLANTED = {
  surname: 'Qvistgaardplanted',
  firstname: 'Zsuzsannaplanted',
  email: 'mailplanted@post.example',
  phone: '+44 1632 960777',
  address: 'Plantedstrasse 99',
  city: 'Plantedville',
  postal_code: 'PL4 N73D',
  date_of_birth: '1977-07-17',
  userid: 'useridplanted',
  password: '$2a$08$hashplanted',
  secret: 'TOTPPLANTED',
  staff_notes: 'a note that was planted',
} as const;

/** What is done at the lending library every day. */
const NIGHTS = { refresh: { sweep: '02:00' }, owed: { read: '03:30' }, loans: { count: '04:00' } };
const REPORT = 'PUT /contrib/passport/scans/{event_id}/outcome';

let consortium: Consortium<keyof typeof threeLibraries>;
const cards: string[] = [];
const items: string[] = [];
const answers: string[] = [];
const tokens = new Set<string>();
const koha = {
  onExchange({ requestHeaders }: { readonly requestHeaders: Readonly<Record<string, string>> }) {
    const token = /^Bearer (.+)$/.exec(requestHeaders['authorization'] ?? '')?.[1];
    if (token !== undefined) tokens.add(token);
  },
};

const plantPatron = (columns: Readonly<Record<string, unknown>> = {}): string => {
  const card = registerPatron(consortium.doubles.midland, { columns: { ...PLANTED, ...columns } });
  cards.push(card);
  return card;
};
const plantBook = (): string => {
  const book = shelveBook(consortium.doubles.riverside);
  items.push(book);
  return book;
};

/** Scans, follows to the end or to where it waits, and keeps every answer of the receiver. */
async function scan(
  data: Readonly<Record<string, unknown>>,
  isOver = (_state: string) => false,
): Promise<string> {
  const desk = consortium.at('riverside');
  const answer = await desk.scan({ item_barcode: plantBook(), ...data });
  answers.push(JSON.stringify(answer.body));
  const state = await desk.follow(answer.eventId, {
    until: ({ state: now }) => now === 'done' || now === 'failed' || isOver(now),
  });
  answers.push(JSON.stringify(state));
  return state.outcome ?? state.state;
}

/** Every way in which a scan can go, at trace level, with each kind of answer that a Koha in trouble gives. */
beforeAll(async () => {
  consortium = await startConsortium({
    libraries: {
      midland: { ...threeLibraries.midland, koha },
      riverside: { ...threeLibraries.riverside, koha, entry: NIGHTS },
      lakeside: { ...threeLibraries.lakeside, koha },
    },
    redis: { appendonly: true },
    env: { LOG_LEVEL: 'trace' },
  });
  const { midland, riverside, lakeside } = consortium.doubles;
  const outcomes = [
    await scan({ cardnumber: plantPatron() }),
    await scan({ cardnumber: plantPatron({ expiry_date: '2020-01-01' }) }),
    await scan({ cardnumber: '21234111222333' }),
  ];
  cards.push('21234111222333');
  const [card = ''] = cards;
  outcomes.push(await scan({ cardnumber: card }));
  const shared = plantPatron();
  lakeside.putPatron(shared, { surname: PLANTED.surname, category_id: 'AD' });
  outcomes.push(await scan({ cardnumber: shared }));
  const taken = plantPatron();
  riverside.putPatron(taken, { surname: 'Somebody', category_id: 'AD' });
  outcomes.push(await scan({ cardnumber: taken }));
  expect(outcomes).toEqual([
    'COPIED',
    'NOT_ELIGIBLE',
    'NOT_FOUND',
    'ALREADY_LOCAL',
    'AMBIGUOUS_HOME',
    'ALREADY_LOCAL',
  ]);

  const body = { error: `Duplicate entry '${card}' of ${PLANTED.surname}`, ...PLANTED };
  const faults = [
    { kind: 'status', status: 500, body },
    { kind: 'status', status: 503, body: `<html>${PLANTED.email} ${card}</html>` },
    { kind: 'truncate' },
    { kind: 'html' },
    { kind: 'reset_after' },
  ] as const;
  for (const operation of ['GET /patrons', 'POST /patrons', 'POST /checkouts', REPORT]) {
    const troubled = operation === 'GET /patrons' ? midland : riverside;
    for (const part of [faults.slice(0, 2), faults.slice(2)]) {
      troubled.addFaults(part.map((fault) => ({ operation, times: 1, ...fault })));
      await Promise.all(part.map(() => scan({ cardnumber: plantPatron() })));
    }
  }
  riverside.addFaults([{ operation: 'POST /patrons', kind: 'status', status: 400, body, times: 1 }]);
  expect(await scan({ cardnumber: plantPatron() })).toBe('MISCONFIGURED');
  midland.addFaults([{ operation: 'GET /patrons', kind: 'hang', times: 1 }]);
  await scan({ cardnumber: plantPatron() }, (state) => state === 'waiting');
  await passNight(card);
}, 180_000);
afterAll(() => consortium?.stop());

/** A night at the lending library, after which the patron of this card is restricted at home, and another was merged into somebody else. */
async function passNight(card: string): Promise<void> {
  const { midland, riverside } = consortium.doubles;
  const merged = plantPatron();
  const into = plantPatron({ firstname: `Bea${PLANTED.firstname}` });
  expect(await scan({ cardnumber: merged })).toBe('COPIED');
  midland.mergePatron(merged, into);
  midland.putPatron(card, { restricted: true, city: `New ${PLANTED.city}` });
  const { patron_id: copy } = riverside.state(card).patrons[0] ?? {};
  const at = new Date(Date.now() - 26 * 3_600_000).toISOString().replace('Z', '+00:00');
  riverside.addLoans([{ at, type: 'issue', branch: 'MAIN', patron_id: Number(copy) }]);

  const { redis, services } = consortium;
  const due = JSON.stringify({ since_ms: 0, queued_ms: 0, next_ms: 0 });
  await redis.call('HSET', '{passport}:schedules', 'loans.riverside', due);
  for (const args of [
    ['copies', 'refresh', '--at', 'riverside', '--full'],
    ['owed', '--of', 'midland', '--at', 'riverside', '--read'],
  ]) {
    const { out, err } = await runPassport(args, { env: services.env });
    answers.push(out, err);
  }
  await waitFor('the loans to be counted', () =>
    redis.call('HGET', '{passport}:schedules:done', 'loans.riverside'),
  );
}

/** What of the planted strings, cards, items and secrets is in a text, by kind: the strings themselves are not shown. */
function found(text: string): string[] {
  const { env } = consortium.services;
  const secrets = Object.entries(env).filter(([name]) => /_SECRET$|_KEY$|PASSWORD$/.test(name));
  const clientSecrets = Object.values(consortium.doubles).map((double) => double.credentials.clientSecret);
  const wanted: [string, string][] = [
    ...Object.entries(PLANTED),
    ...cards.map((card): [string, string] => ['card', card]),
    ...items.map((item): [string, string] => ['item', item]),
    ...secrets,
    ...clientSecrets.map((secret): [string, string] => ['client secret', secret]),
    ...[...tokens].map((token): [string, string] => ['token', token]),
  ];
  const folded = text.toLowerCase();
  return [
    ...new Set(wanted.filter(([, value]) => folded.includes(value.toLowerCase())).map(([name]) => name)),
  ];
}

/** The first column of that table of docs/privacy.md. */
const listed = async (head: string): Promise<string[]> => {
  const page = await readFile(new URL('../../../docs/privacy.md', import.meta.url), 'utf8');
  return markdownTables(page, head).flatMap((rows) => rows.map(([name = '']) => name));
};
/** A key of Redis, in which words in capitals stand for any text. */
const patternOf = (key: string): RegExp => new RegExp(`^\\{passport\\}:${key.replaceAll(/[A-Z]+/g, '.+')}$`);

describe('docs/privacy.md', () => {
  test('has every key that Redis holds', async () => {
    const patterns = (await listed('key')).map(patternOf);
    const { names } = await dumpRedis(consortium.redis.url);
    expect(names.length).toBeGreaterThan(50);
    const ofTheNight = ['copies', 'findings', 'loan-days', 'owed', 'sweep'];
    expect(names).toEqual(expect.arrayContaining(ofTheNight.map((name) => `{passport}:${name}:riverside`)));
    expect(names.filter((name) => !patterns.some((pattern) => pattern.test(name)))).toEqual([]);
  });

  test('has every field of a log line', async () => {
    const known = await listed('field');
    const lines = (await consortium.services.logs()).split('\n').filter((line) => line.startsWith('{'));
    const fields = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
    expect(fields.size).toBeGreaterThan(25);
    expect([...fields].filter((field) => !known.includes(field))).toEqual([]);
  });
});

describe('T-32 planted names, addresses, cards, items and secrets', () => {
  test('are found by this test where they are', () => {
    const copy = JSON.stringify(consortium.doubles.riverside.state(cards[0]));
    expect(tokens.size).toBeGreaterThanOrEqual(3);
    expect(found([...tokens].join())).toEqual(['token']);
    expect(found(copy)).toEqual(expect.arrayContaining(['surname', 'email', 'card', 'item']));
  });

  test('stand in no log line at level trace', async () => {
    const logs = await consortium.services.logs();
    expect(logs.split('\n').filter((line) => line.includes('"audit":true')).length).toBeGreaterThan(40);
    expect(found(logs)).toEqual([]);
    expect(logs.match(/.{30}(?:\beyJ[\w-]+\.|Bearer |Basic ).{10}/g)).toBeNull();
  });

  test('stand in no key or value of Redis', async () => {
    const dump = await dumpRedis(consortium.redis.url);
    expect(dump.keys).toBeGreaterThan(50);
    expect(found(dump.text)).toEqual([]);
  });

  test('stand in no file that Redis writes', async () => {
    const files = await readdir(consortium.redis.dir, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
    );
    expect(texts.join('').length).toBeGreaterThan(10_000);
    expect(found(texts.join('\n'))).toEqual([]);
  });

  test('stand in no metric', async () => {
    const { receivers, workers } = consortium.services;
    const texts = await Promise.all([...receivers, ...workers].map((service) => service.metrics()));
    expect(texts.join('\n')).toContain('passport_jobs_total');
    expect(found(texts.join('\n'))).toEqual([]);
  });

  test('stand in no answer of the receiver, and in nothing that Koha received', () => {
    expect(answers.length).toBeGreaterThan(40);
    expect(found(answers.join('\n'))).toEqual([]);
    expect(found(JSON.stringify(consortium.doubles.riverside.state().outcomes))).toEqual([]);
  });
});
