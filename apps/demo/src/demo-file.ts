import { demoSamples, demoSeed, type Samples } from '@passport/koha-double';
import { olderCards } from './older-copies.ts';
import type { DemoKoha } from './start-kohas.ts';

/** `.demo/demo.json`: addresses, secrets and sample cards, for scripts that use the running demo. */
export interface DemoFile {
  readonly receiver: string;
  readonly dashboard: { readonly url: string; readonly user: string; readonly password: string };
  readonly redis_url: string;
  readonly admin: Readonly<Record<'receiver' | 'worker' | 'dashboard', string>>;
  /** What `npx passport` needs to work on the demo. */
  readonly env: Readonly<Record<string, string>>;
  readonly libraries: readonly DemoFileLibrary[];
}

export interface DemoFileLibrary {
  readonly id: string;
  readonly koha_url: string;
  readonly webhook_secret: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly branches: readonly string[];
  readonly sample_cards: Omit<Samples, 'items'>;
  readonly sample_items: readonly string[];
}

/** Describes each library of the demo, with cards and items to try. */
export function describeLibraries(
  kohas: readonly DemoKoha[],
  webhookSecrets: Readonly<Record<string, string>>,
): readonly DemoFileLibrary[] {
  return kohas.map(({ library: { id }, koha }) => {
    const { items, ...cards } = demoSamples(id);
    const isFirstScan = (card: string): boolean => !olderCards().includes(card);
    return {
      id,
      koha_url: koha.url,
      webhook_secret: webhookSecrets[id] ?? '',
      client_id: koha.credentials.clientId,
      client_secret: koha.credentials.clientSecret,
      branches: demoSeed(id, koha.credentials).libraries.map(({ library_id }) => library_id),
      sample_cards: { ...cards, eligible: cards.eligible.filter(isFirstScan) },
      sample_items: items,
    };
  });
}

/** The same environment as a file for `. .demo/env` in a shell. */
export function buildEnvFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('');
}
