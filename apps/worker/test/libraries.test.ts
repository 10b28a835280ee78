import { describe, expect, test } from '@jest/globals';
import type { KohaErrorCode } from '@passport/koha-client';
import { type Libraries, buildLibraries } from '../src/koha/libraries.ts';
import { LibraryClosed } from '../src/koha/koha-failure.ts';
import { type ManualClock, manualClock, kohaError, noClient } from './builders.ts';

/** Draws pauses at their longest. */
const LONGEST_PAUSE = 1;

interface Bench {
  readonly libraries: Libraries;
  readonly clock: ManualClock;
  readonly seen: string[];
}

function bench(): Bench {
  const clock = manualClock();
  const seen: string[] = [];
  const clients = new Map([
    ['midland', noClient],
    ['lakeside', noClient],
  ]);
  const libraries = buildLibraries(
    clients,
    { monotonicNow: clock.now, random: () => LONGEST_PAUSE },
    {
      circuitChanged: (library, isOpen) => seen.push(`${library} ${isOpen ? 'open' : 'closed'}`),
      answered: (library) => seen.push(`${library} answered`),
      failed: (library, { code }) => seen.push(`${library} ${code}`),
      reported: (library, failure) => seen.push(`${library} report ${failure?.code ?? 'taken'}`),
    },
  );
  return { libraries, clock, seen };
}

const fail = (libraries: Libraries, code: KohaErrorCode, library = 'midland') =>
  libraries.call(library, () => Promise.reject(kohaError(code, { library }))).catch(() => undefined);
const succeed = (libraries: Libraries) => libraries.call('midland', () => Promise.resolve('ok'));

async function opened(): Promise<Bench> {
  const made = bench();
  for (let n = 0; n < 5; n += 1) await fail(made.libraries, 'timeout');
  return made;
}

describe('one library’s trouble', () => {
  test.each<KohaErrorCode>(['timeout', 'unreachable', 'reset', 'http_5xx', 'maintenance', 'bad_answer'])(
    'five times %s: it is not called any more, the others are',
    async (code) => {
      const { libraries } = bench();
      for (let n = 0; n < 5; n += 1) await fail(libraries, code);

      await expect(succeed(libraries)).rejects.toBeInstanceOf(LibraryClosed);
      await expect(libraries.call('lakeside', () => Promise.resolve('ok'))).resolves.toBe('ok');
    },
  );

  test.each<KohaErrorCode>([
    'record_refused',
    'rate_limited',
    'permission',
    'credentials',
    'busy',
    'aborted',
  ])('twenty times %s opens nothing', async (code) => {
    const { libraries } = bench();
    for (let n = 0; n < 20; n += 1) await fail(libraries, code);

    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test('a refusal is an answer: it ends a row of failures', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 4; n += 1) await fail(libraries, 'timeout');
    await fail(libraries, 'record_refused');
    await fail(libraries, 'timeout');

    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test('ends with the first call that is answered after a while', async () => {
    const { libraries, clock, seen } = await opened();
    clock.forward(1_000);
    await succeed(libraries);

    await expect(succeed(libraries)).resolves.toBe('ok');
    expect(seen).toContain('midland closed');
  });

  test('says how long ago the library answered', async () => {
    const { libraries, clock } = bench();
    expect(libraries.circuit('midland').sinceSuccessMs).toBeNull();
    await succeed(libraries);
    clock.forward(250);
    await fail(libraries, 'timeout');
    expect(libraries.circuit('midland').sinceSuccessMs).toBe(250);
  });

  test('is watched with each failure, so that the log can say why', async () => {
    const { libraries, seen } = bench();
    await fail(libraries, 'unreachable');
    await fail(libraries, 'credentials');
    expect(seen).toEqual(['midland unreachable', 'midland credentials']);
  });

  test('two calls that hang are enough: no further one sets out, and nobody is promoted for it', async () => {
    const { libraries, clock } = bench();
    const hang = (): unknown =>
      libraries.call('midland', () => new Promise<never>(() => undefined)).catch(() => undefined);
    void hang();
    void hang();
    clock.forward(1_000);

    await expect(succeed(libraries)).rejects.toBeInstanceOf(LibraryClosed);
    expect(libraries.circuit('midland')).toMatchObject({ isOpen: true, isDue: false });
    await expect(libraries.call('lakeside', () => Promise.resolve('ok'))).resolves.toBe('ok');
  });

  test('with calls that still hang is not tried again before one of them is answered', async () => {
    const { libraries, clock } = bench();
    const answers: ((result: string) => void)[] = [];
    const hang = (): Promise<string> =>
      libraries.call('midland', () => new Promise<string>((resolve) => answers.push(resolve)));
    const calls = [hang(), hang()];
    for (let n = 0; n < 5; n += 1) await fail(libraries, 'unreachable');
    clock.forward(1_000);
    expect(libraries.circuit('midland')).toMatchObject({ isOpen: true, isDue: false });

    for (const answer of answers) answer('ok');
    await Promise.all(calls);
    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test('a bug in the work is not the library’s', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 9; n += 1) {
      await expect(libraries.call('midland', () => Promise.reject(new TypeError('bug')))).rejects.toThrow(
        'bug',
      );
    }
    await expect(succeed(libraries)).resolves.toBe('ok');
  });
});

describe('work beside the workflow', () => {
  const beside = (libraries: Libraries, code?: KohaErrorCode) =>
    libraries.callBeside('midland', () =>
      code === undefined ? Promise.resolve('sent') : Promise.reject(kohaError(code)),
    );

  test('opens no circuit, however often it fails', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 20; n += 1) await beside(libraries, 'http_5xx').catch(() => undefined);

    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test.each<KohaErrorCode>(['http_5xx', 'unexpected_status', 'redirect', 'permission', 'credentials'])(
    'five times %s: it is left alone for at most four seconds, the workflow is not',
    async (code) => {
      const { libraries, clock } = bench();
      for (let n = 0; n < 5; n += 1) await beside(libraries, code).catch(() => undefined);
      await expect(beside(libraries)).rejects.toBeInstanceOf(LibraryClosed);
      for (let n = 0; n < 5; n += 1) {
        clock.forward(4_000);
        await expect(beside(libraries, code)).rejects.toThrow(code);
      }
      await expect(succeed(libraries)).resolves.toBe('ok');

      clock.forward(4_000);
      await expect(beside(libraries)).resolves.toBe('sent');
    },
  );

  test('that hangs keeps no call of the workflow back, be it of copies here or of its patrons elsewhere', async () => {
    const { libraries, clock } = bench();
    const hang = () =>
      libraries.callBeside('midland', () => new Promise<never>(() => undefined)).catch(() => undefined);
    await beside(libraries, 'timeout').catch(() => undefined);
    void hang();
    void hang();
    clock.forward(1_500);

    await expect(succeed(libraries)).resolves.toBe('ok');
    expect(libraries.circuit('midland')).toMatchObject({ isOpen: false });
    await expect(beside(libraries)).rejects.toBeInstanceOf(LibraryClosed);
    expect(libraries.reportCircuit('midland')).toMatchObject({ isOpen: true, isDue: false });
  });

  test('is refused by an open circuit', async () => {
    const { libraries } = await opened();
    await expect(beside(libraries)).rejects.toBeInstanceOf(LibraryClosed);
  });

  test('closes it when it is the one that tries, since perhaps nobody else will', async () => {
    const { libraries, clock } = await opened();
    clock.forward(1_000);
    await expect(beside(libraries)).resolves.toBe('sent');

    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test('leaves it open when that try fails', async () => {
    const { libraries, clock } = await opened();
    clock.forward(1_000);
    await expect(beside(libraries, 'timeout')).rejects.toThrow('timeout');

    await expect(succeed(libraries)).rejects.toBeInstanceOf(LibraryClosed);
  });
});

describe('a sweep', () => {
  const swept = (libraries: Libraries, code?: KohaErrorCode) =>
    libraries.callForSweep('midland', () =>
      code === undefined ? Promise.resolve('read') : Promise.reject(kohaError(code)),
    );
  const reported = (libraries: Libraries, code?: KohaErrorCode) =>
    libraries.callBeside('midland', () =>
      code === undefined ? Promise.resolve('sent') : Promise.reject(kohaError(code)),
    );

  test('that fails delays neither scans nor reports, and is left alone itself', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 5; n += 1) await swept(libraries, 'http_5xx').catch(() => undefined);
    await expect(swept(libraries)).rejects.toBeInstanceOf(LibraryClosed);
    expect(libraries.reportCircuit('midland')).toMatchObject({ isOpen: false });
    await expect(reported(libraries)).resolves.toBe('sent');
    await expect(succeed(libraries)).resolves.toBe('ok');
  });

  test('that works closes no circuit of the reports, and is not stopped by it', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 5; n += 1) await reported(libraries, 'http_5xx').catch(() => undefined);
    await expect(swept(libraries)).resolves.toBe('read');
    expect(libraries.reportCircuit('midland')).toMatchObject({ isOpen: true, sinceSuccessMs: null });
  });

  test('that is refused for one record or permission goes on', async () => {
    const { libraries } = bench();
    for (let n = 0; n < 9; n += 1) await swept(libraries, 'record_refused').catch(() => undefined);
    await expect(swept(libraries)).resolves.toBe('read');
  });

  test('tries an open library, since perhaps nobody else will', async () => {
    const { libraries, clock } = await opened();
    await expect(swept(libraries)).rejects.toBeInstanceOf(LibraryClosed);
    clock.forward(1_000);
    await expect(swept(libraries)).resolves.toBe('read');
    await expect(succeed(libraries)).resolves.toBe('ok');
  });
});

describe('a library that requests a delay', () => {
  const tired =
    (retryAfterMs: number, code: KohaErrorCode = 'rate_limited') =>
    (libraries: Libraries) =>
      libraries
        .call('midland', () =>
          Promise.reject(kohaError(code, { status: 429, retryAfterMs, effect: 'unknown' })),
        )
        .catch(() => undefined);
  const answer = (libraries: Libraries) =>
    succeed(libraries).catch((error: unknown) => error as { retryAfterMs: number; effect: string });

  test.each<KohaErrorCode>(['rate_limited', 'maintenance'])(
    'with %s is sent nothing before its time, and its word is repeated with what is left',
    async (code) => {
      const { libraries, clock } = bench();
      await tired(5_000, code)(libraries);
      clock.forward(4_000);

      expect(await answer(libraries)).toMatchObject({
        code,
        retryAfterMs: 1_000,
        effect: 'none',
        wasSent: false,
      });
      clock.forward(1_000);
      expect(await answer(libraries)).toBe('ok');
    },
  );

  test('is left alone by what is reported beside the workflow, too, and other libraries are not', async () => {
    const { libraries } = bench();
    await tired(5_000)(libraries);

    const reported = () => Promise.reject(new Error('it was reported'));
    await expect(libraries.callBeside('midland', reported)).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(libraries.capabilities('midland')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(libraries.call('lakeside', () => Promise.resolve('ok'))).resolves.toBe('ok');
  });

  test('of a day is called again after a minute', async () => {
    const { libraries, clock } = bench();
    await tired(86_400_000)(libraries);
    clock.forward(60_000);

    expect(await answer(libraries)).toBe('ok');
  });

  test('is not taken for lost, however often its word is repeated', async () => {
    const { libraries } = bench();
    await tired(5_000, 'maintenance')(libraries);
    for (let n = 0; n < 20; n += 1) await answer(libraries);

    expect(libraries.circuit('midland').isOpen).toBe(false);
  });
});

test('a library that is not configured is a bug', async () => {
  const { libraries } = bench();
  await expect(libraries.call('nowhere', () => Promise.resolve('ok'))).rejects.toThrow('no client');
});
