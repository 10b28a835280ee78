import { servicePatron, type Credentials } from './api-user.ts';
import type { SeedData } from './seed-data.ts';

/** A Koha that is set up for visitors and holds nobody but the service's user. */
export function emptySeed(credentials: Credentials): SeedData {
  return {
    libraries: [
      { library_id: 'MAIN', name: 'Main Library' },
      { library_id: 'NORTH', name: 'North Branch' },
    ],
    categories: [
      { patron_category_id: 'AD', name: 'Adult', enrolment_period: 24 },
      { patron_category_id: 'CH', name: 'Child', category_type: 'C', can_be_guarantee: true },
      { patron_category_id: 'PT', name: 'Visiting patron' },
      { patron_category_id: 'STAFF', name: 'Staff', category_type: 'S', enrolment_period: 60 },
    ],
    itemTypes: [
      { item_type_id: 'BK', description: 'Book' },
      { item_type_id: 'DVD', description: 'Film' },
      { item_type_id: 'REF', description: 'Reference work', not_for_loan: true },
    ],
    attributeTypes: [
      { code: 'PASSPORTED', description: 'Home library of a visiting patron' },
      { code: 'PASSPORTED_ID', description: 'Home key of a visiting patron', unique_id: true },
      { code: 'INTEREST', description: 'What the patron likes to hear about', repeatable: true },
    ],
    circulationRules: [
      { rule: 'maxissueqty', value: '50' },
      { rule: 'maxissueqty', value: '20', patron_category_id: 'PT' },
      { rule: 'issuelength', value: '21' },
      { rule: 'issuelength', value: '14', patron_category_id: 'PT' },
      { rule: 'renewalsallowed', value: '2' },
    ],
    patrons: [servicePatron(credentials)],
    items: [],
  };
}
