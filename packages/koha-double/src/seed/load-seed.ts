import { CheckoutTable } from '../checkouts/checkout-table.ts';
import { putItem, putPatron } from '../control/put-rows.ts';
import type { Database, Double } from '../double.ts';
import { ItemTable } from '../items/item-table.ts';
import { AttributeGaps, CardReservations } from '../patrons/open-creates.ts';
import { Table } from '../table.ts';
import { PatronTable } from '../patrons/patron-table.ts';
import { CopyTable, OutcomeTable } from '../plugin/plugin-tables.ts';
import { completeTables } from '../setup/setup-rows.ts';
import type { SeedData } from './seed-data.ts';

export function emptyDatabase(): Database {
  return {
    patrons: new PatronTable(),
    items: new ItemTable(),
    biblios: new Table(
      ({ biblio_id }) => biblio_id,
      () => [],
    ),
    checkouts: new CheckoutTable(),
    outcomes: new OutcomeTable(),
    copies: new CopyTable(),
    reservations: new CardReservations(),
    attributeGaps: new AttributeGaps(),
    libraries: new Map(),
    categories: new Map(),
    itemTypes: new Map(),
    attributeTypes: new Map(),
    circulationRules: [],
    mails: 0,
    fees: 0,
    statistics: 0,
    loans: [],
  };
}

/** Replaces all that the double holds by a seed; tokens and sessions of before are void. */
export function loadSeed(double: Double, seed: SeedData): void {
  double.db = { ...emptyDatabase(), ...completeTables(seed) };
  Object.assign(double.settings.preferences, seed.preferences);
  for (const patron of seed.patrons) putPatron(double, patron.cardnumber, patron);
  for (const item of seed.items) putItem(double, item.external_id, item);
  double.tokens.revokeAll();
  double.sessions.clear();
}
