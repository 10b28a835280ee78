import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideHome, locate, passportTypes, type Answer, type Located, type Location } from '../src/index.ts';
import {
  CARD,
  attribute,
  candidate,
  consortium,
  lakeside,
  library,
  midland,
  patron,
  patrons,
  refusal,
  riverside,
  silence,
} from './builders.ts';

const north = library('north', { copy: { passportAttribute: 'GUEST' } });
const homes = [midland, lakeside, north];
const types = passportTypes(consortium([...homes, riverside]));

function decide(answers: Record<string, Answer>, strict = false): Located {
  const given = homes
    .filter(({ id }) => id in answers)
    .map((home) => ({ candidate: candidate(home), answer: answers[home.id] ?? silence }));
  return decideHome(given, { strict, passportTypes: types });
}

function at(
  answers: Record<string, () => Promise<Answer>>,
  changes: Partial<Location> = {},
): Promise<Located> {
  return locate({
    candidates: homes.filter(({ id }) => id in answers).map((home) => candidate(home)),
    passportTypes: types,
    strict: false,
    patternsDecide: false,
    query: (libraryId) => (answers[libraryId] ?? (() => Promise.resolve(silence)))(),
    ...changes,
  });
}

const never = (): Promise<Answer> => new Promise(() => undefined);
const now = (answer: Answer) => (): Promise<Answer> => Promise.resolve(answer);

describe('the home of a card', () => {
  test('is where exactly one library has it', () => {
    expect(decide({ midland: patrons(), lakeside: patrons(patron()) })).toMatchObject({
      kind: 'found',
      candidate: { home: { id: 'lakeside' } },
      patron: { patronId: 812 },
    });
  });

  test('T-10 is not known while our own cap has kept somebody from being queried', () => {
    const busy: Answer = { kind: 'no_answer', reason: 'BUSY', retryAfterMs: null };
    const answers = { midland: busy, lakeside: patrons(patron()) };

    expect(decide(answers)).toMatchObject({ kind: 'no_answer', silent: [{ library: 'midland' }] });
    expect(decide({ ...answers, midland: silence })).toMatchObject({ kind: 'found' });
  });

  test('T-15 is nowhere when all answered and none has it', () => {
    expect(decide({ midland: patrons(), lakeside: patrons() })).toEqual({ kind: 'nowhere' });
  });

  test('T-15 is not known while one did not answer, and that one is named', () => {
    expect(decide({ midland: patrons(), lakeside: silence })).toMatchObject({
      kind: 'no_answer',
      silent: [{ library: 'lakeside', reason: 'NO_ANSWER' }],
    });
  });

  test('T-15 is not known when none answered, and all are named', () => {
    expect(decide({ midland: silence, lakeside: silence })).toMatchObject({
      kind: 'no_answer',
      silent: [{ library: 'midland' }, { library: 'lakeside' }],
    });
  });

  test('is a person’s matter when the only one that may have it refuses us', () => {
    expect(decide({ midland: patrons(), lakeside: refusal })).toMatchObject({
      kind: 'refused',
      library: 'lakeside',
      problem: { what: 'credentials' },
    });
  });

  test('is worth another try while a silent one may have it, also beside one that refuses us', () => {
    expect(decide({ midland: silence, lakeside: refusal })).toMatchObject({
      kind: 'no_answer',
      silent: [{ library: 'midland' }],
      refused: [{ library: 'lakeside' }],
    });
  });

  test.each<[string, Answer]>([
    ['silent', silence],
    ['refused', refusal],
  ])('is found beside one that was not heard (%s), which is reported; strict waits', (list, unheard) => {
    const answers = { midland: patrons(patron()), lakeside: unheard };
    expect(decide(answers)).toMatchObject({ kind: 'found', [list]: [{ library: 'lakeside' }] });
    expect(decide(answers, true)).toMatchObject({ kind: 'no_answer', [list]: [{ library: 'lakeside' }] });
  });

  test('T-10 is ambiguous with two, also while a third is silent and also when strict', () => {
    const answers = { midland: patrons(patron()), lakeside: patrons(patron()), north: silence };
    for (const strict of [false, true]) {
      expect(decide(answers, strict)).toMatchObject({ kind: 'ambiguous', homes: ['midland', 'lakeside'] });
    }
  });

  test('T-10 is ambiguous when one library shows two records for it', () => {
    const two = patrons(patron(), patron({ patronId: 9 }));
    expect(decide({ midland: two, lakeside: patrons() })).toMatchObject({
      kind: 'ambiguous',
      homes: ['midland'],
    });
  });
});

describe('an answer is compared again', () => {
  test.each(['1', '%', '_', '12345', `${CARD}0`, ''])('T-07 the card %j never matches another', (card) => {
    const asked = { ...candidate(), cards: [card] };
    const answers = [{ candidate: asked, answer: patrons(patron({ cardnumber: '123456' })) }];
    expect(decideHome(answers, { strict: false, passportTypes: types })).toEqual({ kind: 'nowhere' });
  });

  test('T-09 a record whose login is the card is not the card’s', () => {
    const other = patron({ cardnumber: 'X1' });
    expect(decide({ midland: patrons(other) })).toEqual({ kind: 'nowhere' });
  });

  test('T-17 a record without a card is nobody’s', () => {
    expect(decide({ midland: patrons(patron({ cardnumber: null })) })).toEqual({ kind: 'nowhere' });
  });

  test('letter case and outer blanks do not count', () => {
    const asked = { ...candidate(), cards: ['AB1'] };
    const answers = [{ candidate: asked, answer: patrons(patron({ cardnumber: ' ab1 ' })) }];
    expect(decideHome(answers, { strict: false, passportTypes: types }).kind).toBe('found');
  });
});

describe('a copy is no home record', () => {
  test.each(['PASSPORTED', 'GUEST'])('T-33 whatever library’s passport type it carries (%s)', (type) => {
    const copy = patron({ attributes: [attribute('OTHER', 'x'), attribute(type, 'north')] });
    expect(decide({ midland: patrons(copy) })).toEqual({ kind: 'nowhere' });
  });

  test('T-33 so the true home is found beside its copies, and no loop comes about', () => {
    const copy = patron({ patronId: 5, attributes: [attribute('PASSPORTED', 'north')] });
    expect(
      decide({ midland: patrons(copy), lakeside: patrons(copy), north: patrons(patron()) }),
    ).toMatchObject({ kind: 'found', candidate: { home: { id: 'north' } } });
  });

  test.each([null, '', '  '])(
    'T-31 but a record with an emptied passport (%j) is its library’s own',
    (value) => {
      const own = patron({ attributes: [attribute('PASSPORTED', value)] });
      expect(decide({ midland: patrons(own) }).kind).toBe('found');
    },
  );
});

describe('the look-up', () => {
  test('T-10 two homes with the same card, 50 runs in random order of answer: always ambiguous', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const later = (answer: Answer) => (): Promise<Answer> => scheduler.schedule(Promise.resolve(answer));
        const decision = at({
          midland: later(patrons(patron())),
          lakeside: later(patrons(patron({ patronId: 9 }))),
          north: later(patrons()),
        });
        await scheduler.waitAll();
        expect(await decision).toMatchObject({ kind: 'ambiguous', homes: ['midland', 'lakeside'] });
      }),
      { numRuns: 50 },
    );
  });

  test('T-10 the decision follows from the answers alone, for any answers in any order', async () => {
    const anyAnswer = fc.constantFrom(patrons(), patrons(patron()), silence, refusal);
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.tuple(anyAnswer, anyAnswer, anyAnswer),
        async (scheduler, [one, two, three]) => {
          const answers = { midland: one, lakeside: two, north: three };
          const later = (answer: Answer) => (): Promise<Answer> =>
            scheduler.schedule(Promise.resolve(answer));
          const decision = at({ midland: later(one), lakeside: later(two), north: later(three) });
          await scheduler.waitAll();
          expect(await decision).toEqual(decide(answers));
        },
      ),
    );
  });

  test('all are queried before any has answered', async () => {
    const queried: string[] = [];
    const stop = new AbortController();
    const decision = at(
      { midland: never, lakeside: never, north: never },
      {
        signal: stop.signal,
        query: (libraryId) => {
          queried.push(libraryId);
          return never();
        },
      },
    );
    expect(queried).toEqual(['midland', 'lakeside', 'north']);
    stop.abort();
    await expect(decision).rejects.toThrow(/abort/);
  });

  test('T-08 one that never answers is named at its own deadline, heed its signal or not', async () => {
    const slow = library('midland', { koha: { timeoutMs: 80 } });
    const located = await at(
      {},
      {
        candidates: [candidate(slow), candidate(lakeside)],
        query: (libraryId) => (libraryId === 'midland' ? never() : Promise.resolve(patrons())),
      },
    );
    expect(located).toMatchObject({ kind: 'no_answer', silent: [{ library: 'midland' }] });
  }, 3_000);

  test('T-08 one that never answers does not keep the others from being heard', async () => {
    const slow = library('midland', { koha: { timeoutMs: 50 } });
    const located = await at(
      {},
      {
        candidates: [candidate(slow), candidate(lakeside)],
        query: (libraryId) => (libraryId === 'midland' ? never() : Promise.resolve(patrons(patron()))),
      },
    );
    expect(located).toMatchObject({
      kind: 'found',
      candidate: { home: { id: 'lakeside' } },
      silent: [{ library: 'midland' }],
    });
  });

  test('the signal that a library gets ends at its deadline', async () => {
    const slow = library('midland', { koha: { timeoutMs: 20 } });
    let given: AbortSignal | undefined;
    await at(
      {},
      {
        candidates: [candidate(slow)],
        query: (_libraryId, _card, signal) => {
          given = signal;
          return never();
        },
      },
    );
    expect(given?.aborted).toBe(true);
  });

  test('a bug in a query is thrown, not taken for silence', async () => {
    const broken = at({ midland: () => Promise.reject(new TypeError('bug')), lakeside: now(patrons()) });
    await expect(broken).rejects.toThrow('bug');
  });
});

describe('card patterns', () => {
  const fitting = library('fitting', { cards: [/^21234\d{9}$/u] });
  const twin = library('twin', { cards: [/^2\d{13}$/u] });
  const open = library('open');
  const answering = (answers: Record<string, Answer>, changes: Partial<Location> = {}) => {
    const queried: string[] = [];
    const located = locate({
      candidates: [open, fitting, twin].filter(({ id }) => id in answers).map((home) => candidate(home)),
      passportTypes: new Set(['PASSPORTED']),
      strict: false,
      patternsDecide: false,
      query(id) {
        queried.push(id);
        return Promise.resolve(answers[id] ?? silence);
      },
      ...changes,
    });
    return { located, queried };
  };
  const decided = { patternsDecide: true };

  test.each<[string, Answer]>([
    ['is silent', silence],
    ['refuses us', refusal],
  ])('a find without patterns decides nothing while one whose pattern fits %s', async (_what, answer) => {
    for (const strict of [false, true]) {
      const { located } = answering({ open: patrons(patron()), fitting: answer }, { strict });
      expect(await located).toMatchObject({ kind: 'no_answer' });
    }
  });

  test('a find whose pattern fits decides while one without patterns is silent', async () => {
    const { located } = answering({ open: silence, fitting: patrons(patron()) });
    expect(await located).toMatchObject({ kind: 'found', candidate: { home: { id: 'fitting' } } });
  });

  test('two finds are ambiguous, pattern or not, unless patterns decide', async () => {
    const both = { open: patrons(patron({ patronId: 9 })), fitting: patrons(patron()) };
    expect(await answering(both).located).toMatchObject({ kind: 'ambiguous', homes: ['open', 'fitting'] });

    const { located, queried } = answering(both, decided);
    expect(await located).toMatchObject({ kind: 'found', candidate: { home: { id: 'fitting' } } });
    expect(queried).toEqual(['fitting']);
  });

  test('where patterns decide, the others are queried when all whose pattern fits have nobody', async () => {
    const answers = { open: patrons(patron()), fitting: patrons(), twin: patrons() };
    const { located, queried } = answering(answers, decided);
    expect(await located).toMatchObject({ kind: 'found', candidate: { home: { id: 'open' } } });
    expect(queried).toEqual(['fitting', 'twin', 'open']);
  });

  test.each<[string, Answer, Located['kind']]>([
    ['is silent', silence, 'no_answer'],
    ['refuses us', refusal, 'refused'],
  ])('where patterns decide, nobody else sees the card while one %s', async (_what, answer, kind) => {
    const { located, queried } = answering(
      { open: patrons(patron()), fitting: answer, twin: patrons() },
      decided,
    );
    expect((await located).kind).toBe(kind);
    expect(queried).not.toContain('open');
  });

  test('where patterns decide and none fits, those without patterns are queried at once', async () => {
    const { located } = answering({ open: patrons(patron()) }, decided);
    expect(await located).toMatchObject({ kind: 'found', candidate: { home: { id: 'open' } } });
  });
});

test('a home that has anonymised the only record of a card says so; a living one elsewhere goes before it', () => {
  const gone = patrons(patron({ anonymized: true }));
  expect(decide({ midland: gone, lakeside: patrons() })).toMatchObject({ kind: 'gone', home: 'midland' });
  expect(decide({ midland: gone, lakeside: silence })).toMatchObject({ kind: 'no_answer' });
  expect(decide({ midland: gone, lakeside: patrons(patron()) })).toMatchObject({
    kind: 'found',
    candidate: { home: { id: 'lakeside' } },
  });
});
