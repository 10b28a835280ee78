import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeKoha } from '@passport/koha-description';
import {
  servicePermissions,
  startKohaDouble,
  type Exchange,
  type KohaDouble,
  type Release,
} from '@passport/koha-double';
import { createKohaClient, type KohaClientOptions, type PatronBody } from '../src/index.ts';

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

/** Null where the place of Koha's own description is not given (CONTRIBUTING.md). */
const kohaDescription = await describeKoha(process.env['KOHA_OPENAPI']);

/** A value of the last release, which the description does not have. */
const LATER = 'x-koha-override: a value that is not in the list';

/** What is wrong with a request of the client, if anything. The description itself and the plugin are not described. */
function misfitsOf(exchange: Exchange): string[] {
  if (kohaDescription === null || exchange.path === '/' || exchange.path?.startsWith('/contrib/')) return [];
  const { isDescribed, request } = kohaDescription.check(exchange);
  const isLater = exchange.requestHeaders['x-koha-override']?.split(',').includes('opac_reg_no') === true;
  return [...request, ...(isDescribed ? [] : ['not described'])]
    .filter((problem) => !isLater || problem !== LATER)
    .map((problem) => `${exchange.method} ${exchange.path ?? '?'}: ${problem}`);
}

type Client = ReturnType<typeof createKohaClient>;

/** What the tests of one `describe` work with; each member is fresh for each test. */
export interface ContractBench {
  koha: KohaDouble;
  client: Client;
  /** Another client of the same Koha, for the caller to close. */
  connect(options?: Partial<KohaClientOptions>): Client;
  /** The operations Koha received, those for token and description aside. */
  calls(): string[];
  /** Makes a copy and gives its number. */
  created(changes?: Record<string, unknown>): Promise<number>;
  /** What did not fit Koha's own description so far. */
  readonly misfits: readonly string[];
}

const unset = (): never => {
  throw new Error('used before the first test');
};

/** Puts a client before a double of one release, with every request checked. */
export function useContractBench(release: Release): ContractBench {
  const misfits: string[] = [];
  const bench = { misfits, connect: unset, calls: unset, created: unset } as unknown as ContractBench;
  let stop = (): Promise<void> => Promise.resolve();

  beforeAll(async () => {
    const onExchange = (exchange: Exchange): unknown => misfits.push(...misfitsOf(exchange));
    const koha = await startKohaDouble({ library: 'riverside', release, onExchange });
    stop = () => koha.close();
    bench.koha = koha;
    bench.connect = (options = {}) =>
      createKohaClient({
        library: 'riverside',
        url: koha.url,
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
  const note = kohaDescription !== null ? '' : ' (skipped: KOHA_OPENAPI is not set)';
  (kohaDescription !== null ? test : test.skip)(
    `T-19 every request fits Koha’s own description${note}`,
    () => {
      expect(bench.misfits).toEqual(onPurpose);
    },
  );
}
