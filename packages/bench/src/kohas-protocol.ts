/** What the process of the Koha stand-ins is told to start. */
export interface KohaPlan {
  readonly latencyMs: number;
  /** Whether it tells each outcome that arrives; costs it time at every call. */
  readonly isWatched: boolean;
  readonly libraries: readonly LibraryPlan[];
}

export interface LibraryPlan {
  readonly id: string;
  /** Five digits: its cards are these and nine more. */
  readonly prefix: string;
  readonly patrons: number;
  readonly items: number;
}

export interface StartedKoha {
  readonly id: string;
  readonly prefix: string;
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A report of ours that a stand-in has answered. */
export interface Told {
  readonly kind: 'told';
  readonly at: number;
  readonly eventId: string;
  readonly state: string;
  readonly outcome: string | null;
}

export type KohasMessage = { readonly kind: 'started'; readonly kohas: readonly StartedKoha[] } | Told;

export const cardOf = (prefix: string, index: number): string => prefix + String(index).padStart(9, '0');
export const barcodeOf = (index: number): string => `39999${String(index).padStart(9, '0')}`;

/** A name of letters alone, another for each number: Koha makes logins from them, and alike ones cost it a search. */
export const nameOf = (index: number): string =>
  `Q${String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`;
