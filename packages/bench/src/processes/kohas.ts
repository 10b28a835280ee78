import { fileURLToPath } from 'node:url';
import { emptySeed, startKohaDouble, type SeedData, type SeedPatron } from '@passport/koha-double';
import { preciseNow } from '../figures.ts';
import { startFront, type Front } from '../front.ts';
import {
  barcodeOf,
  cardOf,
  keyOf,
  nameOf,
  type KohaPlan,
  type KohasMessage,
  type KohasOrder,
  type Reported,
  type StartedKoha,
} from '../kohas-protocol.ts';

// The Koha stand-ins of a benchmark, in a process of their own: what they cost must not be measured as ours.
const { latencyMs, isWatched, front, libraries } = JSON.parse(process.argv[2] ?? '') as KohaPlan;
const DESK_SCRIPT = fileURLToPath(
  new URL('../../../../apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/main.js', import.meta.url),
);
const fronts: Front[] = [];
/** Where none are modelled: so many that the service need not spare them. */
const webWorkers = front?.webWorkers ?? 8;

const kohas = await Promise.all(
  libraries.map(
    async ({
      id,
      prefix,
      prefixes = [],
      patronsOfPrefix = 1,
      patrons,
      items,
      keys = 0,
      hasDesk = false,
    }): Promise<StartedKoha> => {
      const credentials = { clientId: `bench-${id}`, clientSecret: `bench-secret-of-${id}` };
      const base = emptySeed(credentials);
      const seed: SeedData = {
        ...base,
        patrons: [
          ...base.patrons.map((user) => withKeys(user, credentials, keys)),
          ...patronsOf(prefix, patrons),
          ...prefixes.flatMap((each) => patronsOf(each, patronsOfPrefix)),
        ],
        items: Array.from({ length: items }, (_, index) => ({
          external_id: barcodeOf(index),
          item_type_id: 'BK',
        })),
      };
      const koha = await startKohaDouble({
        library: id,
        credentials,
        seed,
        latencyMs,
        ...(hasDesk ? { pluginScriptPath: DESK_SCRIPT } : {}),
        settings: { plack_workers: webWorkers },
        ...(isWatched
          ? {
              onExchange: ({ path, requestBody }) => {
                if (path === '/contrib/passport/scans/{event_id}/outcome') reportOutcome(requestBody);
              },
            }
          : {}),
      });
      const started = { id, prefix, url: koha.url, doubleUrl: koha.url, ...credentials };
      if (front === undefined) return started;
      const before = await startFront(koha.url, front);
      fronts.push(before);
      return { ...started, url: before.url };
    },
  ),
);
send({ kind: 'started', kohas });

function reportOutcome(body: unknown): void {
  const {
    event_id: eventId,
    state,
    outcome,
  } = body as Pick<Reported, 'state' | 'outcome'> & { event_id: string };
  send({ kind: 'reported', at: preciseNow(), eventId, state, outcome });
}

/** The service's user, with more keys to the same rights. */
function withKeys(
  user: SeedPatron,
  credentials: Pick<StartedKoha, 'clientId' | 'clientSecret'>,
  count: number,
): SeedPatron {
  const more = Array.from({ length: count }, (_, index) => keyOf(credentials, index));
  const keys = [credentials, ...more].map((key) => ({
    client_id: key.clientId,
    secret: key.clientSecret,
    active: true,
  }));
  return { ...user, api_keys: keys };
}

function patronsOf(prefix: string, count: number): SeedData['patrons'] {
  return Array.from({ length: count }, (_, index) => patron(prefix, index));
}

function patron(prefix: string, index: number): SeedData['patrons'][number] {
  return {
    cardnumber: cardOf(prefix, index),
    surname: nameOf(Number(prefix)) + nameOf(index),
    firstname: nameOf(index),
    address: '1 Bench Row',
    city: 'Benchmark',
    email: `p${index}@post.example`,
    date_of_birth: '1980-01-01',
    expiry_date: '2037-12-31',
    category_id: 'AD',
    library_id: 'MAIN',
  };
}

function send(message: KohasMessage): void {
  process.send?.(message);
}

process.on('message', (order: KohasOrder) => {
  for (const each of fronts)
    if (order.kind === 'all') each.setServiceMs(order.serviceMs);
    else each.setManners(order.manners);
});
process.once('disconnect', () => process.exit(0));
