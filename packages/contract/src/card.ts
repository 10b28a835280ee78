/** A card as it is hashed, so that what is said of one card has one hash: the case of A to Z does not count. */
export const foldCard = (card: string): string => card.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/**
 * Whether two card numbers (or item barcodes) are one: outer blanks and the case of A to Z do not count, nothing else is forgiven. Koha's
 * database also ignores accents and width, so its matches are compared again with this.
 */
export const sameCard = (one: string, other: string): boolean =>
  foldCard(one.trim()) === foldCard(other.trim());
