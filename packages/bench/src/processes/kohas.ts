import { fileURLToPath } from 'node:url';
import { emptySeed, startKohaDouble, type SeedData } from '@passport/koha-double';
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
  type LibraryPlan,
  type Reported,
  type StartedKoha,
} from '../kohas-protocol.ts';

// The Koha stand-ins of a benchmark, in a process of their own: what they cost must not be measured as ours.
const { latencyMs, isWatched, front, libraries } = JSON.parse(process.argv[2] ?? '') as KohaPlan;
const DESK_SCRIPT = fileURLToPath(
  new URL('../../../../apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/main.js', import.meta.url),
);
const fronts: Front[] = [];

send({ kind: 'started', kohas: await Promise.all(libraries.map(startKoha)) });
process.on('message', ({ serviceMs }: KohasOrder) => {
  for (const each of fronts) each.setServiceMs(serviceMs);
});
process.once('disconnect', () => process.exit(0));

async function startKoha(plan: LibraryPlan): Promise<StartedKoha> {
  const { id, prefix } = plan;
  const credentials = { clientId: `bench-${id}`, clientSecret: `bench-secret-of-${id}` };
  const { url } = await startKohaDouble({
    library: id,
    credentials,
    seed: seedOf(plan, credentials),
    latencyMs,
    ...(plan.hasDesk === true && { pluginScriptPath: DESK_SCRIPT }),
    // Where none are modelled: so many that the service need not spare them.
    settings: { plack_workers: front?.webWorkers ?? 8 },
    ...(isWatched && {
      onExchange: ({ path, requestBody }) => {
        if (path === '/contrib/passport/scans/{event_id}/outcome') reportOutcome(requestBody);
      },
    }),
  });
  const before = front && (await startFront(url, front));
  if (before !== undefined) fronts.push(before);
  return { id, prefix, url: before?.url ?? url, doubleUrl: url, ...credentials };
}

function seedOf(
  { prefix, others = [], patrons, items, keys = 0 }: LibraryPlan,
  credentials: Pick<StartedKoha, 'clientId' | 'clientSecret'>,
): SeedData {
  const base = emptySeed(credentials);
  const pairs = [credentials, ...Array.from({ length: keys }, (_, index) => keyOf(credentials, index))];
  const keysOf = pairs.map((key) => ({ client_id: key.clientId, secret: key.clientSecret, active: true }));
  return {
    ...base,
    patrons: [
      // The service's user, with more keys to the same rights.
      ...base.patrons.map((user) => ({ ...user, api_keys: keysOf })),
      ...Array.from({ length: patrons }, (_, index) => patron(prefix, index)),
      ...others.map((other) => patron(other, 0)),
    ],
    items: Array.from({ length: items }, (_, index) => ({
      external_id: barcodeOf(index),
      item_type_id: 'BK',
    })),
  };
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

function reportOutcome(body: unknown): void {
  const { event_id: eventId, state } = body as Pick<Reported, 'state'> & { event_id: string };
  send({ kind: 'reported', at: preciseNow(), eventId, state });
}

function send(message: KohasMessage): void {
  process.send?.(message);
}
