import { createHash } from 'node:crypto';
import type { SeedPatron } from './seed-data.ts';

/** The key pair of the service's user at one library. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What the service needs to look up, copy and check out, on every release shown. */
export const servicePermissions: readonly string[] = [
  'borrowers:1',
  'borrowers:view_borrower_infos_from_any_libraries',
  'circulate:circulate_remaining_permissions',
  'catalogue:1',
  'parameters:manage_patron_categories',
];

export const serviceCard = 'PASSPORT-SERVICE';

/** The same pair for the same library on every start, for tests and the demo. */
export function derivedCredentials(library: string): Credentials {
  const digest = (what: string): string =>
    createHash('sha256').update(`koha-double ${what} ${library}`).digest('hex');
  const id = digest('id');
  return {
    clientId: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join(
      '-',
    ),
    clientSecret: digest('secret').slice(0, 40),
  };
}

/** The service's own patron record, as an operator would make it. */
export function servicePatron(credentials: Credentials): SeedPatron {
  return {
    cardnumber: serviceCard,
    surname: 'Patron Passport',
    firstname: 'Service',
    userid: 'passport-service',
    library_id: 'MAIN',
    category_id: 'STAFF',
    expiry_date: '2099-12-31',
    permissions: servicePermissions,
    api_keys: [{ client_id: credentials.clientId, secret: credentials.clientSecret, active: true }],
  };
}
