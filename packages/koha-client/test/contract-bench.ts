import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { servicePermissions, startKohaDouble } from '@passport/koha-double';
import type { KohaDouble, Release } from '@passport/koha-double';
import { createKohaClient } from '../src/index.ts';
import type { KohaClientOptions, PatronBody } from '../src/index.ts';
import { hasKohaSubset, loadKohaSubset } from './koha-subset.ts';
import { startRecordingProxy } from './start-recording-proxy.ts';

export const CARD = '21234000000017';
export const HOME_KEY = 'midland:812';
export const at = { branch: 'MAIN' };
export const how = { ...at, confirmNotDuplicate: false };
export const plain = { attributes: false, balance: false };

/** The body of a copy, valid; a test breaks one thing. */
export const body = (changes: Record<string, unknown> = {}): PatronBody => ({
  cardnumber: CARD,
  surname: 'Okafor',
  firstname: 'Adaeze',
  date_of_birth: '1990-05-01',
  library_id: 'MAIN',
  category_id: 'PT',
  extended_attributes: [
    { type: 'PASSPORTED', value: 'midland' },
    { type: 'PASSPORTED_ID', value: HOME_KEY },
  ],
  ...changes,
});

type Client = ReturnType<typeof createKohaClient>;

/** What the tests of one `describe` work with; each member is fresh for each test. */
export interface ContractBench {
  koha: KohaDouble;
  client: Client;
  /** Another client of the same Koha, for the caller to close. */
  connect(options?: Partial<KohaClientOptions>): Client;
  /** The operations Koha has been asked for, those for token and description aside. */
  calls(): string[];
  /** Makes a copy and gives its number. */
  created(changes?: Record<string, unknown>): Promise<number>;
  /** What did not fit Koha's own description so far. */
  readonly misfits: readonly string[];
}

const unset = (): never => {
  throw new Error('used before the first test');
};

/** Puts a client before a double of one release, with everything that is asked recorded and checked. */
export function useContractBench(release: Release): ContractBench {
  const misfits: string[] = [];
  const bench = { misfits, connect: unset, calls: unset, created: unset } as unknown as ContractBench;
  let stop = (): Promise<void> => Promise.resolve();

  beforeAll(async () => {
    const check = hasKohaSubset
      ? await loadKohaSubset(['x-confirm-not-duplicate', 'x-koha-override: opac_reg_no'])
      : () => [];
    const koha = await startKohaDouble({ library: 'riverside', release });
    const proxy = await startRecordingProxy(koha.url, (request) => {
      if (request.path === '/' || request.path.startsWith('/contrib/')) return;
      misfits.push(...check(request).map((problem) => `${request.method} ${request.path}: ${problem}`));
    });
    stop = async () => {
      await proxy.close();
      await koha.close();
    };
    bench.koha = koha;
    bench.connect = (options = {}) =>
      createKohaClient({
        library: 'riverside',
        url: proxy.url,
        ...koha.credentials,
        timeoutMs: 5_000,
        maxInFlight: 8,
        now: Date.now,
        ...options,
      });
    bench.calls = () =>
      koha
        .calls()
        .map(({ operation }) => operation ?? '')
        .filter((operation) => !['GET /', 'POST /oauth/token'].includes(operation));
    bench.created = async (changes = {}) => {
      const result = await bench.client.createPatron(body(changes), { ...at, confirmNotDuplicate: true });
      if (result.kind !== 'created') throw new Error(`expected created, got ${result.kind}`);
      return result.patronId;
    };
  });
  beforeEach(() => {
    bench.koha.seed('empty');
    bench.koha.clearCalls();
    bench.client = bench.connect();
  });
  afterEach(() => {
    bench.client.close();
    bench.koha.clearFaults();
    const preferences = { AutoEmailNewUser: '0' };
    bench.koha.putSettings({
      preferences,
      groups_hide_patrons: null,
      strict_sql_modes: false,
      plugin: true,
      permissions: servicePermissions,
    });
  });
  afterAll(() => stop());
  return bench;
}

/** To be called last in the `describe`: everything that went over the wire so far fits Koha's own description, but for `onPurpose`. */
export function testThatRequestsFit(bench: ContractBench, onPurpose: readonly string[]): void {
  const note = hasKohaSubset ? '' : ' (skipped: KOHA_OPENAPI is not set)';
  (hasKohaSubset ? test : test.skip)(`T-19 every request fits Koha’s own description${note}`, () => {
    expect(bench.misfits).toEqual(onPurpose);
  });
}
