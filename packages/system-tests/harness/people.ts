import type { KohaDouble } from '@passport/koha-double';

let made = 0;

/**
 * Registers a patron at a library whom nothing stands against, and returns the card number: `prefix` and nine digits,
 * never the same twice. `columns` replace or add any column of the row.
 */
export function registerPatron(
  home: KohaDouble,
  options: { prefix?: string; columns?: Readonly<Record<string, unknown>> } = {},
): string {
  made += 1;
  const cardnumber = `${options.prefix ?? '21234'}${String(800_000_000 + made)}`;
  home.putPatron(cardnumber, { ...plainPatron(made), ...options.columns });
  return cardnumber;
}

/** Puts a book on the shelf of a library's branch MAIN and returns its barcode, never the same twice. */
export function shelveBook(at: KohaDouble, columns: Readonly<Record<string, unknown>> = {}): string {
  made += 1;
  const barcode = `39999${String(800_000_000 + made)}`;
  at.putItem(barcode, {
    item_type_id: 'BK',
    home_library_id: 'MAIN',
    holding_library_id: 'MAIN',
    ...columns,
  });
  return barcode;
}

/** Koha makes logins of names without their digits, and namesakes who come at once fight for one. */
const spelled = (number: number): string =>
  Array.from(String(number), (digit) => 'abcdefghij'[Number(digit)]).join('');

function plainPatron(number: number): Readonly<Record<string, unknown>> {
  return {
    surname: `Grünwald-${number}`,
    firstname: `Agnieszka ${spelled(number)}`,
    email: `agnieszka.${number}@post.example`,
    phone: '+44 1632 960001',
    address: `${number} Harbour Row`,
    city: 'Midland',
    postal_code: 'ML1 1AA',
    country: 'United Kingdom',
    date_of_birth: '1980-02-29',
    expiry_date: '2037-12-31',
    category_id: 'AD',
    library_id: 'MAIN',
  };
}
