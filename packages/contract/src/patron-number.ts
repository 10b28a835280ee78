/** Koha's number of a patron (`borrowernumber`) as a text has it, without leading zeros; null: it is none that Koha gives. */
export const parsePatronNumber = (text: string): number | null =>
  /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
