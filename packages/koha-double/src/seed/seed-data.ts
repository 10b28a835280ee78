import { createHash } from 'node:crypto';
import type { Columns } from '../record.ts';
import { serviceCard, type Preferences } from '../settings.ts';
import type { SetupDrafts } from '../setup/setup-rows.ts';

/** A patron to seed: any column, API or database name, plus `extended_attributes`, `permissions`, `api_keys`. */
export type SeedPatron = Columns & { readonly cardnumber: string };
export type SeedItem = Columns & { readonly external_id: string };

/** Everything that a fresh Koha holds. The API user is a patron like any other. */
export interface SeedData extends SetupDrafts {
  readonly patrons: readonly SeedPatron[];
  readonly items: readonly SeedItem[];
  readonly preferences?: Partial<Preferences>;
}

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

/** The same pair for the same library on every start, for tests and the demo. */
export function derivedCredentials(library: string): Credentials {
  const digest = (what: string): string =>
    createHash('sha256').update(`koha-double ${what} ${library}`).digest('hex');
  return {
    clientId: digest('id').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
    clientSecret: digest('secret').slice(0, 40),
  };
}

/** The service's own patron record, as an operator would make it. */
export const servicePatron = ({ clientId, clientSecret }: Credentials): SeedPatron => ({
  cardnumber: serviceCard,
  surname: 'Patron Passport',
  firstname: 'Service',
  userid: 'passport-service',
  library_id: 'MAIN',
  category_id: 'STAFF',
  expiry_date: '2099-12-31',
  permissions: servicePermissions,
  api_keys: [{ client_id: clientId, secret: clientSecret, active: true }],
});
