/** Of MySQL's `int`, which `borrowernumber` is. */
const LARGEST = 2_147_483_647;

/** Koha's number of a patron (`borrowernumber`) as a text has it, without leading zeros; null: it is none that Koha gives, but may be a card. */
export const parsePatronNumber = (text: string): number | null =>
  /^[1-9]\d{0,9}$/.test(text) && Number(text) <= LARGEST ? Number(text) : null;
