/** What the process of the Koha stand-ins is to start. */
export interface KohaPlan {
  readonly latencyMs: number;
  /** Whether it reports each outcome that arrives; costs it time at every call. */
  readonly isWatched: boolean;
  /** Puts a web server before every stand-in. */
  readonly front?: FrontPlan;
  readonly libraries: readonly LibraryPlan[];
}

export interface FrontPlan {
  /** Requests served at the same time, each for `serviceMs`, staff pages included; null: as many as come. */
  readonly webWorkers: number | null;
  /** How long a request occupies its web worker, whatever it waits for besides. */
  readonly serviceMs: number;
}

export interface LibraryPlan {
  readonly id: string;
  /** Five digits: its cards are these and nine more. */
  readonly prefix: string;
  /** Where it stands for several libraries: the prefixes of the others, each with one patron. */
  readonly others?: readonly string[];
  /** How many more key pairs its Koha takes ({@link keyOf}); none. */
  readonly keys?: number;
  /** Whether its staff pages have the plugin's script. */
  readonly hasDesk?: boolean;
  readonly patrons: number;
  readonly items: number;
}

export interface StartedKoha {
  readonly id: string;
  readonly prefix: string;
  /** Where the service reaches it: its front, where the plan has one. */
  readonly url: string;
  /** The stand-in itself, with its control routes. */
  readonly doubleUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A report of ours that a stand-in has answered. */
export interface Reported {
  readonly kind: 'reported';
  readonly at: number;
  readonly eventId: string;
  readonly state: string;
}

/** One more key pair of the same Koha. */
export const keyOf = (koha: Pick<StartedKoha, 'clientId' | 'clientSecret'>, index: number) => ({
  clientId: `${koha.clientId}-${index}`,
  clientSecret: `${koha.clientSecret}-${index}`,
});

export type KohasMessage = { readonly kind: 'started'; readonly kohas: readonly StartedKoha[] } | Reported;

/** The service time of every front from now on. */
export interface KohasOrder {
  readonly serviceMs: number;
}

export const cardOf = (prefix: string, index: number): string => prefix + String(index).padStart(9, '0');
export const barcodeOf = (index: number): string => `39999${String(index).padStart(9, '0')}`;

/** A name of letters alone, another for each number: Koha makes logins from them, and alike ones cost it a search. */
export const nameOf = (index: number): string =>
  `Q${String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`;
