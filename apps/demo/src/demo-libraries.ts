import type { SeedName } from '@passport/koha-double';

/** A library of the demo: the addresses and patterns that contract.md section 6 promises. */
export interface DemoLibrary {
  readonly id: SeedName;
  readonly name: string;
  readonly port: number;
  /** One pattern of its card numbers, or null: it is queried for every card. */
  readonly cards: string | null;
}

export const DEMO_LIBRARIES: readonly DemoLibrary[] = [
  { id: 'midland', name: 'Midland Public Library', port: 8091, cards: '^21234\\d{9}$' },
  { id: 'riverside', name: 'Riverside County Library', port: 8092, cards: '^25678\\d{9}$' },
  { id: 'lakeside', name: 'Lakeside College', port: 8093, cards: null },
];

export const RECEIVER_PORT = 8080;
export const DASHBOARD_PORT = 8081;

/** Each fixed port and what it is for. */
export const FIXED_PORTS: readonly { readonly port: number; readonly what: string }[] = [
  { port: RECEIVER_PORT, what: 'the receiver' },
  { port: DASHBOARD_PORT, what: 'the dashboard' },
  ...DEMO_LIBRARIES.map(({ port, name }) => ({ port, what: `the Koha of ${name}` })),
];
