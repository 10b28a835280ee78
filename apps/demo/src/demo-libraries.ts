import type { SeedName } from '@passport/koha-double';

/** A library of the demo. */
export interface DemoLibrary {
  readonly id: SeedName;
  readonly name: string;
  /** Patterns of its card numbers. */
  readonly cards: readonly string[];
}

export const DEMO_LIBRARIES: readonly DemoLibrary[] = [
  { id: 'midland', name: 'Midland Public Library', cards: ['^21234\\d{9}$'] },
  { id: 'riverside', name: 'Riverside County Library', cards: ['^25678\\d{9}$'] },
  // It grew out of several small libraries, each with its own idea of a card number.
  {
    id: 'lakeside',
    name: 'Lakeside College',
    cards: ['^L-\\d{4,5}$', '^LK\\d{7}$', '^lake\\.\\d{4,5}$', '^7\\d{6}$'],
  },
];

/** Where each part is reached on 127.0.0.1: chosen by `scripts/demo-ports.mjs`. */
export type DemoPorts = Readonly<Record<SeedName | 'receiver' | 'dashboard', number>>;
