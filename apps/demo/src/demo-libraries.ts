import type { SeedName } from '@passport/koha-double';

/** A library of the demo. */
export interface DemoLibrary {
  readonly id: SeedName;
  readonly name: string;
  /** One pattern of its card numbers, or null: it is queried for every card. */
  readonly cards: string | null;
}

export const DEMO_LIBRARIES: readonly DemoLibrary[] = [
  { id: 'midland', name: 'Midland Public Library', cards: '^21234\\d{9}$' },
  { id: 'riverside', name: 'Riverside County Library', cards: '^25678\\d{9}$' },
  { id: 'lakeside', name: 'Lakeside College', cards: null },
];

/** Where each part is reached on 127.0.0.1: chosen by `scripts/demo-ports.mjs`. */
export type DemoPorts = Readonly<Record<SeedName | 'receiver' | 'dashboard', number>>;
