/** What the process of the Koha stand-ins is to start. */
export interface KohaPlan {
  readonly latencyMs: number;
  /** Whether it reports each outcome that arrives; costs it time at every call. */
  readonly isWatched: boolean;
  /** Puts something between the service and every stand-in that makes it slower, as a real one is. */
  readonly front?: FrontPlan;
  readonly libraries: readonly LibraryPlan[];
}

/** A web server with so many workers, so far away. */
export interface FrontPlan {
  /** Requests served at the same time, each for `serviceMs`, staff pages included; null: as many as come. */
  readonly webWorkers: number | null;
  /** How long a request occupies its web worker, whatever it waits for besides. */
  readonly serviceMs: number;
  /** Time of a packet there and back. */
  readonly roundTripMs: number;
  /** PEM texts: speak https. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
}

export interface LibraryPlan {
  readonly id: string;
  /** Five digits: its cards are these and nine more. */
  readonly prefix: string;
  /** Where it stands for several libraries: the prefixes of the others, each with so many patrons. */
  readonly prefixes?: readonly string[];
  readonly patronsOfPrefix?: number;
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
  readonly outcome: string | null;
}

/** One more key pair of the same Koha. */
export const keyOf = (koha: Pick<StartedKoha, 'clientId' | 'clientSecret'>, index: number) => ({
  clientId: `${koha.clientId}-${index}`,
  clientSecret: `${koha.clientSecret}-${index}`,
});

export type KohasMessage = { readonly kind: 'started'; readonly kohas: readonly StartedKoha[] } | Reported;

/** How long the Koha of a library takes for a request in milliseconds; or it hangs up, or it accepts and never answers. */
export type Manner = number | 'away' | 'silent';

/** Changes every front from now on: its service time, or how it stands for libraries by their ids. */
export type KohasOrder =
  | { readonly kind: 'all'; readonly serviceMs: number }
  | { readonly kind: 'some'; readonly manners: Readonly<Record<string, Manner>> };

export const cardOf = (prefix: string, index: number): string => prefix + String(index).padStart(9, '0');
export const barcodeOf = (index: number): string => `39999${String(index).padStart(9, '0')}`;

/** A name of letters alone, another for each number: Koha makes logins from them, and alike ones cost it a search. */
export const nameOf = (index: number): string =>
  `Q${String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`;
