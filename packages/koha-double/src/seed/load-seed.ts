import { CheckoutTable } from '../checkouts/checkout-table.ts';
import { putItem } from '../control/put-item.ts';
import { putPatron } from '../control/put-patron.ts';
import type { Database, Double } from '../double.ts';
import { ItemTable } from '../items/item-table.ts';
import { AttributeGaps } from '../patrons/attribute-gaps.ts';
import { CardReservations } from '../patrons/card-reservations.ts';
import { PatronTable } from '../patrons/patron-table.ts';
import { CopyTable } from '../plugin/copy-table.ts';
import { OutcomeTable } from '../plugin/outcome-table.ts';
import {
  completeAttributeType,
  completeCategory,
  completeCirculationRule,
  completeItemType,
  completeLibrary,
} from '../setup/complete-rows.ts';
import type { SeedData } from './seed-data.ts';

export function emptyDatabase(): Database {
  return {
    patrons: new PatronTable(),
    items: new ItemTable(),
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
  };
}

/** Replaces all that the double holds by a seed; tokens and sessions of before are void. */
export function loadSeed(double: Double, seed: SeedData): void {
  const db = emptyDatabase();
  for (const draft of seed.libraries) db.libraries.set(draft.library_id, completeLibrary(draft));
  for (const draft of seed.categories) db.categories.set(draft.patron_category_id, completeCategory(draft));
  for (const draft of seed.itemTypes) db.itemTypes.set(draft.item_type_id, completeItemType(draft));
  for (const draft of seed.attributeTypes) db.attributeTypes.set(draft.code, completeAttributeType(draft));
  db.circulationRules = seed.circulationRules.map(completeCirculationRule);
  double.db = db;
  Object.assign(double.settings.preferences, seed.preferences);
  for (const patron of seed.patrons) putPatron(double, patron.cardnumber, patron);
  for (const item of seed.items) putItem(double, item.external_id, item);
  double.tokens.revokeAll();
  double.sessions.clear();
}
