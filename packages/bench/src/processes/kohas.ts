import { emptySeed, startKohaDouble } from '@passport/koha-double';
import type { SeedData } from '@passport/koha-double';
import { preciseNow } from '../clock.ts';
import type { KohaPlan, KohasMessage, StartedKoha, Told } from '../kohas-protocol.ts';
import { barcodeOf, cardOf, nameOf } from '../kohas-protocol.ts';

// The Koha stand-ins of a benchmark, in a process of their own: what they cost must not be measured as ours.
const { latencyMs, isWatched, libraries } = JSON.parse(process.argv[2] ?? '') as KohaPlan;

const started = await Promise.all(
  libraries.map(async ({ id, prefix, patrons, items }): Promise<StartedKoha> => {
    const credentials = { clientId: `bench-${id}`, clientSecret: `bench-secret-of-${id}` };
    const base = emptySeed(credentials);
    const seed: SeedData = {
      ...base,
      patrons: [...base.patrons, ...Array.from({ length: patrons }, (_, index) => patron(prefix, index))],
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
      ...(isWatched
        ? {
            onExchange: ({ path, requestBody }) => {
              if (path === '/contrib/passport/scans/{event_id}/outcome') reportOutcome(requestBody);
            },
          }
        : {}),
    });
    return { id, prefix, url: koha.url, ...credentials };
  }),
);
send({ kind: 'started', kohas: started });

function reportOutcome(body: unknown): void {
  const {
    event_id: eventId,
    state,
    outcome,
  } = body as Pick<Told, 'state' | 'outcome'> & { event_id: string };
  send({ kind: 'told', at: preciseNow(), eventId, state, outcome });
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

process.once('disconnect', () => process.exit(0));
